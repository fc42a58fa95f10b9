/*
 * policy.conf: bytes -> struct pic_policy, and the questions drivers ask of it. Pure.
 *
 * One rule a line, `#` starts a comment:
 *	allow wasm                          a component type
 *	users 1900000000-1900000999         numeric users, one for each workload
 *	listen tcp 8000-8999 [on 127.0.0.0/8]
 *	connect tcp 443 to 10.0.0.0/8
 *	folder /srv/data read-only|writable
 *	memory-max 256M      artifact-max 64M   store-max 512M   log-max 1M
 *	workloads-max 64     processes-max 16
 *	needs-approval ebpf | none          types that start only with a ticket; default ebpf
 *	lease-max 8h                        the longest life of what has an end
 *	ebpf programs xdp tc tracepoint raw-tracepoint
 *	ebpf maps hash array ...            types of maps
 *	ebpf interfaces eth0 veth*          where programs may sit; default anywhere
 *	ebpf kernel-max 8M                  kernel memory of one object's maps
 *	ebpf deny-helpers NAME...           besides those denied by default
 *	ebpf allow-helpers NAME...          of those denied by default
 *	ebpf by-hand kernel-read redirect | none   grants of root at the keyboard
 * An unknown word, a value out of range or a second single-valued line is an error with its line.
 */
#ifndef PIC_ADMISSION_POLICY_H
#define PIC_ADMISSION_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "protocol/policy.h"

#define PIC_POLICY_FILE_MAX (64 * 1024)

int pic_policy_parse(struct pic_policy *out, const char *text, size_t size, const char *file_name,
		     struct pic_error *err);
/* Whether a struct that came through a pipe can be a policy: counts, texts and ranges hold. */
bool pic_policy_is_valid(const struct pic_policy *policy);
/* Whether components of that type start only with a ticket. */
bool pic_policy_needs_approval(const struct pic_policy *policy, const char *type);
/* Each answers 0 or -EPERM with the sentence that names the line to add to policy.conf. */
int pic_policy_allows_type(const struct pic_policy *policy, const char *type,
			   struct pic_error *err);
/* `wanted` may be a range of ports; all of it must be inside one rule. */
int pic_policy_allows_listen(const struct pic_policy *policy, const struct pic_policy_ports *wanted,
			     struct pic_error *err);
int pic_policy_allows_connect(const struct pic_policy *policy,
			      const struct pic_policy_ports *wanted, struct pic_error *err);
int pic_policy_allows_folder(const struct pic_policy *policy, const char *path, bool writable,
			     struct pic_error *err);
int pic_policy_allows_memory(const struct pic_policy *policy, uint64_t bytes,
			     struct pic_error *err);
/* A numeric user out of policy's range for the workload of that name: always the same one for the same name
 * where that is possible, never one that is taken. -EAGAIN: all are. */
int pic_policy_choose_user(const struct pic_policy *policy, const char *name,
			   bool (*is_taken)(const void *data, uint32_t user), const void *data,
			   uint32_t *out, struct pic_error *err);

#endif
