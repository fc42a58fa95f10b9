/* A server in the style of preview1 alone: its listener is descriptor 3, given by the host. Answers one
 * connection with what it sends, waiting in accept and read, then ends. A file of folder /d shows that folders are
 * found behind the listener. */
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <unistd.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_accept"))) uint32_t
sock_accept(int fd, uint32_t flags, int *accepted);

int main(void)
{
	FILE *file = fopen("/d/file", "r");
	char data[512];
	ssize_t n;
	int fd;

	printf("file %s\n", file ? "found" : "not found");
	fflush(stdout);
	/* listeners come non-blocking */
	if (fcntl(3, F_SETFL, 0) != 0 || sock_accept(3, 0, &fd) != 0)
		return 1;
	while ((n = read(fd, data, sizeof(data))) > 0)
		if (write(fd, data, (size_t)n) != n)
			return 2;
	return n == 0 ? 0 : 3;
}
