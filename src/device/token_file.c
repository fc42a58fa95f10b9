#include "device/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/link/join.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "device/agent_user.h"

/* The folder is the agent's, so nothing in it is trusted: a file of our own making, given away by its descriptor. */
static int write_for_agent(int folder, const char *token, uid_t user, gid_t group,
			   struct pic_error *err)
{
	if (unlinkat(folder, PIC_TOKEN_NAME, 0) < 0 && errno != ENOENT)
		return pic_error_errno(err, errno, "the agent's token cannot be replaced");
	PIC_FD int fd = openat(folder, PIC_TOKEN_NAME,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || pic_fd_write_all(fd, token, strlen(token)) < 0 ||
	    fchown(fd, user, group) < 0 || fsync(fd) < 0 || fsync(folder) < 0)
		return pic_error_errno(err, errno, "the agent's token cannot be written");
	return 0;
}

/* -1: there is none, or what is there another user has put or points to, which is not read as root. Told by the open
 * file: the name may mean another one by then. */
static int open_own(const char *path)
{
	PIC_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat file;

	if (fd < 0 || fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || file.st_uid != 0 ||
	    file.st_nlink != 1)
		return -1;
	return PIC_STEAL_FD(fd);
}

static int hand_over(const struct pic_device_options *options, int file, struct pic_error *err)
{
	PIC_FD int state = -1, agent = -1;
	char token[PIC_TOKEN_MAX + 1] = "";
	struct stat identity;
	uid_t user;
	gid_t group;
	int r = pic_device_agent_user(options, &user, &group, err);

	if (r == 0)
		r = pic_folder_open(AT_FDCWD, options->state, true, 0755, (uid_t)-1, (gid_t)-1,
				    &state, err);
	if (r == 0)
		r = pic_folder_open(state, "agent", true, 0700, user, group, &agent, err);
	if (r < 0)
		return r;
	/* one that has joined needs none */
	if (fstatat(agent, "identity.json", &identity, AT_SYMLINK_NOFOLLOW) != 0) {
		r = pic_join_read_token_fd(file, options->token_file, token, err);
		if (r == 0)
			r = write_for_agent(agent, token, user, group, err);
		explicit_bzero(token, sizeof(token));
	}
	if (r == 0 && unlink(options->token_file) < 0)
		return pic_error_errno(err, errno, "%s cannot be removed", options->token_file);
	return r;
}

void pic_device_token_hand_over(const struct pic_device_options *options)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (geteuid() != 0 || !options->token_file)
		return;
	PIC_FD int file = open_own(options->token_file);
	if (file >= 0 && hand_over(options, file, &err) < 0)
		pic_log(PIC_LOG_WARNING, "token-stays", PIC_TEXT("why", err.text));
}
