/* The driver's only code that runs as root: folders that policy grants, opened for the runner. */
#include <stdio.h>

#include "sandbox/root.h"
#include "workload/wasm/runner.h"

/* In place of tracefs: the folder that the workloads of the instance share; its trace pipe lives there.
 * The name leads to the open descriptor, whatever has happened to the path meanwhile. */
static int open_trace(const struct pic_open_context *context, struct pic_error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", context->instance_fd);
	return pic_folder_clone(path, false, err);
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
