/* Pages that a process has and does not need just now. */
#ifndef PIC_BASE_MEMORY_H
#define PIC_BASE_MEMORY_H

/*
 * Gives back to the kernel: free heap, the stack below the caller, and code and constants of the program and
 * its libraries. What is used again is there again: code comes from the file, a page of dead stack reads as
 * zeros, which nothing looks at. Costs some tens of page faults when work goes on.
 */
void pic_memory_give_back(void);

#endif
