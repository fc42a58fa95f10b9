#include "hub/admin_token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "hub/identity/identity.h"
#include "hub/kubeconfig.h"

#define TOKEN_FILE "admin.token"
#define KUBECONFIG_FILE "kubeconfig"
#define KUBECONFIG_MAX (256 * 1024)

static int write_token(int state_fd, const char *token, struct pic_error *err)
{
	char line[PIC_TOKEN_TEXT + 2];
	int size = snprintf(line, sizeof(line), "%s\n", token);
	int r = pic_file_write(state_fd, TOKEN_FILE, 0600, line, (size_t)size, PIC_FILE_DURABLE,
			       err);

	explicit_bzero(line, sizeof(line));
	return r;
}

int pic_admin_token_hand_over(int state_fd, const char *state, const char *fresh, bool dev,
			      struct pic_error *err)
{
	if (!fresh)
		return 0;
	if (!dev && isatty(STDOUT_FILENO)) {
		printf("The admin token, shown this once:\n\n    %s\n\n", fresh);
		return fflush(stdout) == 0
			       ? 0
			       : pic_error_errno(err, errno, "cannot show the admin token");
	}
	int r = write_token(state_fd, fresh, err);
	if (r == 0)
		pic_log(PIC_LOG_INFO, "admin-token-written", PIC_TEXT("folder", state),
			PIC_TEXT("file", TOKEN_FILE));
	return r;
}

/* The token of the file, when the hub still takes it. */
static bool read_token(struct pic_hub *hub, int state_fd, char token[PIC_TOKEN_TEXT])
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

	if (pic_file_read(state_fd, TOKEN_FILE, &text, NULL) < 0)
		return false;
	size_t size = strcspn(pic_buf_text(&text), "\r\n");
	bool fits = size > 0 && size < PIC_TOKEN_TEXT;
	if (fits) {
		memcpy(token, text.data, size);
		token[size] = '\0';
	}
	if (text.data)
		explicit_bzero(text.data, text.size);
	return fits && pic_identity_is_admin_token(hub->identity, token);
}

int pic_admin_token_kubeconfig(struct pic_hub *hub, int state_fd, const char *trusted_pem,
			       struct pic_error *err)
{
	static const struct pic_actor actor = { "piccolo-hub", "", "new admin token" };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(KUBECONFIG_MAX);
	char token[PIC_TOKEN_TEXT];
	int r = 0;

	if (!read_token(hub, state_fd, token)) {
		r = pic_identity_renew_admin(hub->identity, &actor, token, err);
		if (r == 0)
			r = write_token(state_fd, token, err);
	}
	if (r == 0) {
		pic_kubeconfig_write(hub->public_url, trusted_pem, token, &text);
		r = pic_buf_check(&text, "the kubeconfig", err);
	}
	if (r == 0)
		r = pic_file_write(state_fd, KUBECONFIG_FILE, 0600, text.data, text.size,
				   PIC_FILE_DURABLE, err);
	explicit_bzero(token, sizeof(token));
	return r;
}
