#include "device/desired_file.h"

#include <errno.h>
#include <string.h>

#include "agent/link/file_document.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

int pic_device_desired_file(struct pic_document **out, const char *path, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	PIC_BUF struct pic_buf made = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	PIC_FREE char *folder = strdup(path);
	struct pic_file_frame frame = {
		.folder = folder,
		.device = "local",
		.revision = 1,
		.now_wall_ms = pic_clock_wall_ms(),
	};
	int r = pic_file_read_path(path, &text, err);

	if (r < 0)
		return r;
	if (!folder)
		return pic_error_set(err, -ENOMEM, "no memory to read %s", path);
	*strrchr(folder, '/') = '\0';
	r = pic_file_document(pic_buf_text(&text), text.size, &frame, &made, err);
	if (r == 0)
		r = pic_document_parse(out, pic_buf_text(&made), made.size, err);
	return r < 0 ? pic_error_wrap(err, r, "%s", path) : 0;
}
