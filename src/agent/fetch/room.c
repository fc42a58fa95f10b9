#include "agent/fetch/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SUFFIX ".part"
#define HEX (2 * PIC_DIGEST_SIZE)

struct survey {
	uint64_t used;
	uint64_t largest; /* of the idle parts */
	char name[HEX + sizeof(SUFFIX)];
};

static void look_at(const struct pic_room *room, const char *name,
		    const unsigned char own[PIC_DIGEST_SIZE], struct survey *survey)
{
	unsigned char digest[PIC_DIGEST_SIZE];
	bool is_part = strlen(name) == HEX + strlen(SUFFIX) && strcmp(name + HEX, SUFFIX) == 0;
	char hex[HEX + 1];
	struct stat facts;

	if ((!is_part && strlen(name) != HEX) ||
	    fstatat(room->folder, name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	memcpy(hex, name, HEX);
	hex[HEX] = '\0';
	if (pic_hex_decode(hex, digest, sizeof(digest)) < 0 ||
	    memcmp(digest, own, PIC_DIGEST_SIZE) == 0)
		return;
	if (is_part && room->is_busy(room->data, digest)) {
		survey->used += room->needed;
		return;
	}
	survey->used += (uint64_t)facts.st_size;
	if (is_part && (uint64_t)facts.st_size >= survey->largest) {
		survey->largest = (uint64_t)facts.st_size;
		memcpy(survey->name, name, strlen(name) + 1);
	}
}

static int survey_folder(const struct pic_room *room, const unsigned char own[PIC_DIGEST_SIZE],
			 struct survey *out)
{
	int fd = openat(room->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	*out = (struct survey){ .used = 0 };
	if (!list)
		return -errno;
	for (struct dirent *item; (item = readdir(list));)
		look_at(room, item->d_name, own, out);
	closedir(list);
	return 0;
}

int pic_room_make(const struct pic_room *room, const unsigned char digest[PIC_DIGEST_SIZE],
		  struct pic_error *err)
{
	uint64_t total = room->total > room->needed ? room->total : room->needed;
	struct survey survey;

	for (;;) {
		int r = survey_folder(room, digest, &survey);

		if (r < 0)
			return pic_error_errno(err, -r, "the downloads cannot be counted");
		if (survey.used + room->needed <= total)
			return 0;
		if (!survey.name[0])
			return pic_error_set(
				err, -EDQUOT,
				"what was downloaded and waits for the store takes as much as store-max "
				"in policy.conf allows");
		if (unlinkat(room->folder, survey.name, 0) < 0)
			return pic_error_errno(err, errno, "a download cannot make room");
	}
}
