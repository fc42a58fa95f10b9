/*
 * Works with files through the C library: "read FILE", "write FILE TEXT", "list FOLDER", "tour" (everything
 * else, in the folder /w). Prints what happened, errors by name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int read_file(const char *name)
{
	char text[256];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		return complain(name);
	return fwrite(text, 1, (size_t)n, stdout) == (size_t)n ? 0 : 1;
}

static int write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return complain(name);
	return close(fd);
}

static int list(const char *name)
{
	DIR *folder = opendir(name);
	struct dirent *entry;
	unsigned count = 0;

	if (!folder)
		return complain(name);
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			count++;
	printf("%u names\n", count);
	return closedir(folder);
}

#define MUST(call) \
	do { \
		if ((call) < 0) \
			return complain(#call); \
	} while (0)

static int tour(void)
{
	struct stat st;
	char target[32] = "";

	MUST(mkdir("/w/a", 0755));
	MUST(write_file("/w/a/one", "12345"));
	MUST(rename("/w/a/one", "/w/a/two"));
	MUST(link("/w/a/two", "/w/a/three"));
	MUST(symlink("two", "/w/a/four"));
	MUST(readlink("/w/a/four", target, sizeof(target) - 1));
	if (strcmp(target, "two") != 0)
		return 1;
	MUST(stat("/w/a/four", &st));
	if (st.st_size != 5 || st.st_nlink != 2)
		return 1;
	MUST(truncate("/w/a/two", 3));
	MUST(stat("/w/a/three", &st));
	if (st.st_size != 3)
		return 1;
	MUST(utimensat(AT_FDCWD, "/w/a/two", (struct timespec[]){ { 1, 0 }, { 2, 0 } }, 0));
	MUST(stat("/w/a/two", &st));
	if (st.st_mtim.tv_sec != 2)
		return 1;
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/w/a/many-%d", i);
		MUST(write_file(name, ""));
	}
	MUST(list("/w/a"));
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/w/a/many-%d", i);
		MUST(unlink(name));
	}
	MUST(unlink("/w/a/two"));
	MUST(unlink("/w/a/three"));
	MUST(unlink("/w/a/four"));
	MUST(rmdir("/w/a"));
	printf("tour done\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_file(argv[2]);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return write_file(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "list") == 0)
		return list(argv[2]);
	return tour();
}
