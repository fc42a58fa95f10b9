#include "base/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

int test_folder_setup(void **state)
{
	struct test_folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	/* in memory where there is such a place: a busy disk makes thousands of small files slow */
	snprintf(folder->path, sizeof(folder->path), "%s/pic-unit-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder->path))
		return -1;
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = folder;
	return folder->fd < 0 ? -1 : 0;
}

int test_folder_teardown(void **state)
{
	struct test_folder *folder = *state;
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	close(folder->fd);
	r = pic_folder_remove(AT_FDCWD, folder->path, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	free(folder);
	return r;
}

int test_folder_count(int dirfd)
{
	DIR *list = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int count = 0;

	while (readdir(list))
		count++;
	closedir(list);
	return count - 2;
}
