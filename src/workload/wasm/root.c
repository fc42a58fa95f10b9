/* The driver's only code that runs as root: folders that policy grants, opened for the runner. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/root.h"
#include "workload/wasm/runner.h"

#define TRACE_FOLDER "trace"

/* In place of tracefs: the folder in which the instance's trace pipe is, when there is one. */
static int open_trace(const struct pic_open_context *context, struct pic_error *err)
{
	int fd;

	if (mkdirat(context->instance_fd, TRACE_FOLDER, 0755) < 0 && errno != EEXIST)
		return pic_error_errno(err, errno, "the instance's trace folder cannot be made");
	fd = openat(context->instance_fd, TRACE_FOLDER,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? pic_error_errno(err, errno, "the instance's trace folder cannot be opened")
		      : fd;
}

int pic_wasm_open(const void *spec, const struct pic_open_context *context,
		  int files[PIC_RUNNER_FILES_MAX], struct pic_error *err)
{
	const struct pic_wasm_spec *wasm = spec;

	_Static_assert(PIC_WASM_FOLDERS_MAX <= PIC_RUNNER_FILES_MAX, "every folder needs a place");
	for (uint32_t i = 0; i < wasm->folder_count; i++) {
		const struct pic_wasm_folder *folder = &wasm->folders[i];
		int fd = folder->trace ? open_trace(context, err)
				       : pic_folder_clone(folder->host, folder->writable, err);

		if (fd < 0)
			return pic_error_wrap(err, fd, "wasm.dir");
		files[i] = fd;
	}
	return 0;
}
