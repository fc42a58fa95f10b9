// Says hello and reads a file: what a program of Go's own compiler (GOOS=wasip1) needs of the host.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	start := time.Now()
	time.Sleep(10 * time.Millisecond)
	text, err := os.ReadFile("/d/file")
	fmt.Printf("go %v %q %q %v\n", os.Args[1:], os.Getenv("WHO"), text, err)
	names, err := os.ReadDir("/d")
	fmt.Println(len(names), err)
	fmt.Println(os.WriteFile("/d/new", []byte("x"), 0o644) != nil, time.Since(start) >= 10*time.Millisecond)
	os.Exit(5)
}
