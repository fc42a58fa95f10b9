/* `piccolo policy why`: which line of policy.conf a component of this device lacks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "device/agent_status.h"
#include "device/desired_file.h"
#include "device/verbs.h"
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

/* 1: judged, and allowed; 0: this document does not name it. */
static int look_into(const struct pic_document *document, const struct pic_workload_name *name,
		     const struct pic_policy *policy, struct pic_error *err)
{
	const struct pic_document_component *component = document ? find(document, name) : NULL;
	int r = component ? judge(component, policy, err) : 0;

	return r < 0 || !component ? r : 1;
}

static int look(const struct pic_device_options *options, const char *file,
		const struct pic_workload_name *name, const struct pic_policy *policy,
		struct pic_error *err)
{
	PIC_CLEANUP(free_document) struct pic_document *document = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
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
	return look_into(document, name, policy, err);
}

/* What the agent runs instead of a hub's document: the file of `piccolo run`; "" when it does not. */
static void find_file(const struct pic_device_options *options, struct pic_buf *out)
{
	PIC_BUF struct pic_buf answer = PIC_BUF_INIT(PIC_AGENT_STATUS_MAX);
	PIC_JSON struct pic_json *root = NULL;

	if (pic_device_agent_status(options->run_dir, &answer, NULL) == 0 &&
	    pic_json_parse(&root, pic_buf_text(&answer), answer.size, NULL) == 0)
		pic_buf_text_add(out, pic_json_text_or(pic_json_get(root, "file"), ""));
}

static int look_everywhere(const struct pic_device_options *options,
			   const struct pic_workload_name *name, const struct pic_policy *policy,
			   struct pic_error *err)
{
	PIC_CLEANUP(free_document) struct pic_document *document = NULL;
	PIC_BUF struct pic_buf file = PIC_BUF_INIT(PATH_MAX);
	int r;

	find_file(options, &file);
	if (file.size > 0) {
		r = pic_device_desired_file(&document, pic_buf_text(&file), err);
		if (r == 0)
			r = look_into(document, name, policy, err);
	} else {
		r = look(options, "document.json", name, policy, err);
		if (r == 0)
			r = look(options, "kept.json", name, policy, err);
	}
	if (r != 0)
		return r;
	return pic_error_set(err, -ESRCH, "%s does not name %s/%s",
			     file.size > 0 ? pic_buf_text(&file) : "the document of this device",
			     name->instance, name->component);
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
	r = look_everywhere(options, &name, &policy, &err);
	if (r < 0)
		return pic_device_complain(r, &err);
	printf("%s allows %s; what it declares no port for is judged when it asks for one\n",
	       options->policy, argv[0]);
	return PIC_EXIT_OK;
}
