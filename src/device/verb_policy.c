/* `piccolo policy why`: which line of policy.conf a component of this device lacks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "device/verbs.h"
#include "protocol/document.h"
#include "workload/driver.h"

static void free_document(struct pic_document **document)
{
	pic_document_free(*document);
	*document = NULL;
}

static int read_policy(const struct pic_device_options *options, struct pic_policy *out,
		       struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	int r = pic_file_read_path(options->policy, &text, err);

	if (r < 0)
		return r;
	return pic_policy_parse(out, pic_buf_text(&text), text.size, options->policy, err);
}

static const struct pic_document_component *find(const struct pic_document *document,
						 const struct pic_workload_name *name)
{
	for (size_t i = 0; i < document->component_count; i++)
		if (pic_workload_name_compare(&document->components[i].name, name) == 0)
			return &document->components[i];
	return NULL;
}

static int judge(const struct pic_document_component *component, const struct pic_policy *policy,
		 struct pic_error *err)
{
	const struct pic_driver *driver = pic_driver_find(component->type);
	PIC_FREE void *spec = NULL;
	int r = pic_policy_allows_type(policy, component->type, err);

	if (r < 0)
		return r;
	if (!driver)
		return pic_error_set(err, -EINVAL, "this device has no driver for type %s",
				     component->type);
	spec = calloc(1, driver->spec_size);
	if (!spec)
		return pic_error_set(err, -ENOMEM, "no memory for a spec");
	r = driver->parse(component->properties, spec, err);
	return r < 0 ? r : driver->check(spec, policy, err);
}

/* 1: judged, and allowed; 0: this file does not name it. */
static int look(const struct pic_device_options *options, const char *file,
		const struct pic_workload_name *name, const struct pic_policy *policy,
		struct pic_error *err)
{
	PIC_CLEANUP(free_document) struct pic_document *document = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	const struct pic_document_component *component;
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/agent/%s", options->state, file);
	r = pic_file_read(AT_FDCWD, path, &text, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = pic_document_parse(&document, pic_buf_text(&text), text.size, err);
	if (r < 0)
		return r;
	component = document ? find(document, name) : NULL;
	if (!component)
		return 0;
	r = judge(component, policy, err);
	return r < 0 ? r : 1;
}

int pic_verb_policy_why(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	struct pic_workload_name name;
	struct pic_policy policy;
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_workload_name_parse(argv[0], &name, &err);

	(void)argc;
	if (r < 0) {
		pic_device_complain(r, &err);
		return PIC_EXIT_USAGE;
	}
	r = read_policy(options, &policy, &err);
	if (r < 0) {
		pic_device_complain(r, &err);
		return PIC_EXIT_FAILED;
	}
	r = look(options, "document.json", &name, &policy, &err);
	if (r == 0)
		r = look(options, "kept.json", &name, &policy, &err);
	if (r == 0) {
		pic_error_set(&err, -ESRCH, "the document of this device does not name %s",
			      argv[0]);
		return pic_device_complain(-ESRCH, &err);
	}
	if (r < 0)
		return pic_device_complain(r, &err);
	printf("%s allows %s; what it declares no port for is judged when it asks for one\n",
	       options->policy, argv[0]);
	return PIC_EXIT_OK;
}
