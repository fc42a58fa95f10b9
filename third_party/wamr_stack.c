/*
 * WAMR asks for the bounds of the native stack with pthread_getattr_np, which opens /proc/self/maps. A runner has
 * no /proc and may open no file. The interpreter keeps its own stack and does not recurse on the native one, so the
 * question is answered with "unknown" (WAMR then leaves the check out). The build gives WAMR this function's name.
 */
#include <errno.h>
#include <pthread.h>

int pic_stack_bounds_unknown(pthread_t thread, pthread_attr_t *attributes);

int pic_stack_bounds_unknown(pthread_t thread, pthread_attr_t *attributes)
{
	(void)thread;
	(void)attributes;
	return ENOSYS;
}
