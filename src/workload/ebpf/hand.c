#include "workload/ebpf/hand.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

union control {
	char bytes[CMSG_SPACE(PIC_EBPF_HAND_FILES * sizeof(int))];
	struct cmsghdr align;
};

static int send_with(int socket_fd, const void *data, size_t size, const int *fds, uint32_t count)
{
	union control control = { .bytes = { 0 } };
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > 0) {
		struct cmsghdr *head = &control.align;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	}
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -errno;
}

static void close_all(const int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		close(fds[i]);
}

/* The whole message of exactly that size, with at most `room` descriptors; their count or -errno. */
static int receive_with(int socket_fd, void *data, size_t size, int *fds, uint32_t room, int flags)
{
	union control control;
	struct iovec part = { data, size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int come[PIC_EBPF_HAND_FILES];
	uint32_t count = 0;
	ssize_t got;

	do
		got = recvmsg(socket_fd, &message, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head;
	     head = CMSG_NXTHDR(&message, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
			count = (uint32_t)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(come, CMSG_DATA(head), count * sizeof(int));
		}
	if (got == (ssize_t)size && count <= room &&
	    !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		if (count > 0)
			memcpy(fds, come, count * sizeof(int));
		return (int)count;
	}
	close_all(come, count);
	return got == 0 ? -ECONNRESET : -EPROTO;
}

int pic_ebpf_word_send(int socket_fd, const struct pic_ebpf_word *word, int fd)
{
	return send_with(socket_fd, word, sizeof(*word), &fd, fd >= 0);
}

int pic_ebpf_word_receive(int socket_fd, struct pic_ebpf_word *word, int *fd)
{
	struct pic_ebpf_word in;
	int PIC_FD come = -1;
	int r = receive_with(socket_fd, &in, sizeof(in), &come, 1, 0);

	if (r < 0)
		return r;
	if (!memchr(in.text, '\0', sizeof(in.text)) || in.status > 0)
		return -EPROTO;
	*word = in;
	if (fd)
		*fd = PIC_STEAL_FD(come);
	return 0;
}

int pic_ebpf_hand_send(int socket_fd, const struct pic_ebpf_hand *hand,
		       const struct pic_ebpf_plan *plan, const int *fds, uint32_t count)
{
	int r = send_with(socket_fd, hand, sizeof(*hand), fds, count);

	return r < 0 ? r : send_with(socket_fd, plan, sizeof(*plan), NULL, 0);
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_valid(const struct pic_ebpf_hand *hand, uint32_t files)
{
	if (hand->link_count > PIC_EBPF_PROGRAMS_MAX ||
	    hand->filter_count > PIC_EBPF_PROGRAMS_MAX ||
	    hand->program_count > PIC_EBPF_PROGRAMS_MAX || hand->map_count > PIC_EBPF_MAPS_MAX ||
	    hand->interface_count > PIC_EBPF_PROGRAMS_MAX || hand->processors == 0 ||
	    hand->processors > PIC_EBPF_COPIES_MAX ||
	    files != hand->link_count + hand->program_count + hand->map_count ||
	    !ends(hand->evidence, sizeof(hand->evidence)))
		return false;
	for (uint32_t i = 0; i < PIC_EBPF_PROGRAMS_MAX; i++)
		if (!ends(hand->programs[i], sizeof(hand->programs[i])) ||
		    !ends(hand->interfaces[i].name, sizeof(hand->interfaces[i].name)))
			return false;
	for (uint32_t i = 0; i < PIC_EBPF_MAPS_MAX; i++)
		if (!ends(hand->maps[i], sizeof(hand->maps[i])))
			return false;
	return true;
}

int pic_ebpf_hand_receive(int socket_fd, struct pic_ebpf_hand *hand, struct pic_ebpf_plan *plan,
			  int fds[PIC_EBPF_HAND_FILES], struct pic_error *err)
{
	struct pic_ebpf_hand in;
	int come[PIC_EBPF_HAND_FILES];
	int count =
		receive_with(socket_fd, &in, sizeof(in), come, PIC_EBPF_HAND_FILES, MSG_DONTWAIT);
	int r;

	if (count < 0)
		return pic_error_errno(err, -count, "the loader left nothing to run");
	r = receive_with(socket_fd, plan, sizeof(*plan), NULL, 0, MSG_DONTWAIT);
	if (r < 0 || !is_valid(&in, (uint32_t)count) || !pic_ebpf_plan_is_valid(plan)) {
		close_all(come, (uint32_t)count);
		return pic_error_set(err, -EPROTO, "what the loader left makes no sense");
	}
	*hand = in;
	memcpy(fds, come, (size_t)count * sizeof(int));
	return 0;
}
