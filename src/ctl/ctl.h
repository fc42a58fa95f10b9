/*
 * piccoloctl: the hub from a terminal, for people without kubectl. One struct holds what the command
 * line said; a session talks to the hub with the credentials of a kubeconfig.
 */
#ifndef PIC_CTL_CTL_H
#define PIC_CTL_CTL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/option.h"
#include "symphony/kind.h"

struct pic_ctl {
	/* options */
	const char *kubeconfig;
	const char *space;  /* --namespace */
	const char *output; /* table, wide, yaml, json, name */
	struct pic_option_list files;
	const char *selector;
	const char *patch;
	const char *patch_type; /* merge, json */
	const char *wait_for;	/* condition=NAME or delete */
	int64_t timeout_ms;
	int64_t valid_ms;
	long long lines;
	bool all_spaces;
	bool watch;
	bool follow;
	bool dry_run;
	bool no_wait;
	bool all_devices;
	const char *name; /* push --name */
	const char *device;
	const char *comment; /* of a decision */
	const char *reason;  /* diagnose */
	int64_t for_ms;
	struct pic_option_list attach;
	/* ignition, device create */
	const char *extension, *extension_hash, *network, *to;
	struct pic_option_list ssh_keys, merges, labels;
	bool pointer;
	const char *mac, *uuid, *serial;
	int64_t ignition_for_ms;
	bool by_mail;  /* approver add */
	bool show_url; /* requests --url */
	/* the session; opened by the first request */
	struct pic_ctl_session *session;
};

/* ---- session.c: requests to the hub ---- */

struct pic_ctl_answer {
	int status;
	struct pic_json *json; /* NULL when the body is not JSON */
	struct pic_buf body;
};
void pic_ctl_answer_free(struct pic_ctl_answer *answer);
#define PIC_ANSWER PIC_CLEANUP(pic_ctl_answer_free)

struct pic_ctl_call {
	const char *method;
	const char *path;	  /* "/apis/..." with query */
	const char *accept;	  /* NULL: application/json */
	const char *content_type; /* NULL: application/json when there is a body */
	const void *body;
	size_t body_size;
	int64_t timeout_ms; /* 0: 30 s */
	/* a stream: called with each piece of a 2xx body; non-zero ends it */
	int (*receive)(void *data, const void *bytes, size_t size);
	void *data;
};

/* What was typed is wrong, not what is: exit status 2. */
#define PIC_CTL_USAGE (-EBADRQC)

/* 0 and an answer of 2xx; else -errno with the hub's own sentence (-EHOSTUNREACH: not reached, -ENOENT: 404,
 * -EKEYREJECTED: 401, -EACCES: 403). The answer is filled in both cases when one came. */
int pic_ctl_call(struct pic_ctl *ctl, const struct pic_ctl_call *call,
		 struct pic_ctl_answer *answer, struct pic_error *err);
void pic_ctl_session_free(struct pic_ctl_session *session);
/* Prints the sentence on standard error; the exit status of design 10. */
int pic_ctl_fail(const struct pic_error *err);
/* No other object would fare better: the hub is not there, or does not know who asks. */
bool pic_ctl_is_hopeless(const struct pic_error *err);
/* The namespace to use: option, kubeconfig's context, "default". */
int pic_ctl_space(struct pic_ctl *ctl, const char **out, struct pic_error *err);

/* ---- resource.c: names of kinds and objects ---- */

struct pic_ctl_resource {
	const struct pic_kind_facts *kind;
	const char *name; /* NULL: all of the kind */
};
/* "instance/tiny-app", "instances", "solutions.solution.symphony" and with a second word its name. */
int pic_ctl_resource(const char *word, const char *name, struct pic_ctl_resource *out,
		     struct pic_error *err);
/* The same for the words of a command that wants one object: KIND/NAME or KIND NAME. */
int pic_ctl_object(int argc, char **argv, struct pic_ctl_resource *out, struct pic_error *err);
/* "/apis/GROUP/v1/namespaces/NS/PLURAL[/NAME]"; space NULL: all namespaces. */
int pic_ctl_path(const struct pic_kind_facts *kind, const char *space, const char *name,
		 struct pic_buf *out, struct pic_error *err);

/* ---- input.c: objects from files ---- */

struct pic_ctl_input {
	struct pic_json *object;
	const struct pic_kind_facts *kind;
	const char *name;
	char *where; /* "solution.yaml:3" */
	struct pic_ctl_source *source;
	size_t document;
};
struct pic_ctl_inputs {
	struct pic_ctl_input *items;
	size_t count;
	struct pic_ctl_source *sources; /* list; owns texts and lines */
};
/* -f FILE, -f FOLDER (its *.yaml, *.yml, *.json in order), -f - ; validated with exact lines, targets before
 * solutions before instances. */
int pic_ctl_inputs_read(const struct pic_option_list *files, struct pic_ctl_inputs *out,
			struct pic_error *err);
void pic_ctl_inputs_free(struct pic_ctl_inputs *inputs);

/* ---- print.c ---- */

/* A value as the --output option says; `table` is kube's Table for table and wide. */
int pic_ctl_print_value(const struct pic_json *value, const char *output, struct pic_error *err);
void pic_ctl_print_table(const struct pic_json *table, bool wide, bool spaces, const char *prefix);
/* A stranger's text on a terminal line. */
void pic_ctl_print_text(const char *text);

/* Publishes a file at the hub, under its own name unless another is given. */
int pic_ctl_push_file(struct pic_ctl *ctl, const char *file, const char *name,
		      struct pic_ctl_answer *answer, struct pic_error *err);

/* ---- verbs, one file each ---- */
int pic_ctl_apply(void *program, int argc, char **argv);
int pic_ctl_get(void *program, int argc, char **argv);
int pic_ctl_describe(void *program, int argc, char **argv);
int pic_ctl_delete(void *program, int argc, char **argv);
int pic_ctl_patch(void *program, int argc, char **argv);
int pic_ctl_edit(void *program, int argc, char **argv);
int pic_ctl_wait(void *program, int argc, char **argv);
int pic_ctl_explain(void *program, int argc, char **argv);
int pic_ctl_api_resources(void *program, int argc, char **argv);
int pic_ctl_events(void *program, int argc, char **argv);
int pic_ctl_push(void *program, int argc, char **argv);
int pic_ctl_enroll(void *program, int argc, char **argv);
int pic_ctl_ignition(void *program, int argc, char **argv);
int pic_ctl_ignition_validate(void *program, int argc, char **argv);
int pic_ctl_device_create(void *program, int argc, char **argv);
int pic_ctl_logs(void *program, int argc, char **argv);
int pic_ctl_device_list(void *program, int argc, char **argv);
int pic_ctl_device_accept(void *program, int argc, char **argv);
int pic_ctl_device_retire(void *program, int argc, char **argv);
int pic_ctl_device_release(void *program, int argc, char **argv);
int pic_ctl_plan(void *program, int argc, char **argv);
int pic_ctl_diagnose(void *program, int argc, char **argv);
int pic_ctl_requests(void *program, int argc, char **argv);
int pic_ctl_approve(void *program, int argc, char **argv);
int pic_ctl_reject(void *program, int argc, char **argv);
int pic_ctl_revoke(void *program, int argc, char **argv);
int pic_ctl_approver_add(void *program, int argc, char **argv);
int pic_ctl_approver_list(void *program, int argc, char **argv);
int pic_ctl_approver_remove(void *program, int argc, char **argv);

#endif
