/*
 * What loading and attaching an object costs when nobody guards it: libbpf in one process that is root already, without
 * a child, a sandbox or a look at the object before. Prints the CPU seconds from open to attached.
 */
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	unsigned interface = fd < 0 ? 0 : if_nametoindex(argv[2]);
	struct bpf_object *object;
	struct stat is;
	void *bytes;
	double begin;

	if (!interface || fstat(fd, &is) < 0)
		return 2;
	bytes = mmap(NULL, (size_t)is.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return 2;
	libbpf_set_print(on_print);
	begin = seconds();
	object = bpf_object__open_mem(bytes, (size_t)is.st_size, NULL);
	if (!object || bpf_object__load(object) < 0 ||
	    bpf_link_create(bpf_program__fd(bpf_object__next_program(object, NULL)), (int)interface,
			    BPF_XDP, NULL) < 0)
		return 1;
	printf("%.9f\n", seconds() - begin);
	return 0;
}
