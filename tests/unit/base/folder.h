/* A folder of a test's own, removed at the end. */
#ifndef PIC_TEST_FOLDER_H
#define PIC_TEST_FOLDER_H

struct test_folder {
	char path[64];
	int fd;
};

int test_folder_setup(void **state);
int test_folder_teardown(void **state);
/* Entries without . and .. */
int test_folder_count(int dirfd);

#endif
