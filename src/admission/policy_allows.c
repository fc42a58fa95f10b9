/* What a policy allows; each refusal names the line that is missing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admission/policy.h"
#include "base/text.h"
#include "protocol/ticket.h"

int pic_policy_allows_type(const struct pic_policy *policy, const char *type, struct pic_error *err)
{
	for (uint32_t i = 0; i < policy->type_count; i++)
		if (strcmp(policy->types[i], type) == 0)
			return 0;
	return pic_error_set(err, -EPERM, "policy does not allow type %s: add `allow %s`", type,
			     type);
}

bool pic_policy_needs_approval(const struct pic_policy *policy, const char *type)
{
	for (uint32_t i = 0; i < policy->approval_count; i++)
		if (strcmp(policy->approval_types[i], type) == 0)
			return true;
	return false;
}

/* "listen tcp 8085 on 127.0.0.1": the line that would allow it. */
static void rule_text(const struct pic_policy_ports *ports, const char *verb, const char *before,
		      char out[160])
{
	char network[64], range[16];

	pic_network_text(&ports->network, network);
	if (ports->first == ports->last)
		snprintf(range, sizeof(range), "%u", ports->first);
	else
		snprintf(range, sizeof(range), "%u-%u", ports->first, ports->last);
	snprintf(out, 160, ports->network.family ? "%s %s %s %s %s" : "%s %s %s", verb,
		 ports->transport == PIC_UDP ? "udp" : "tcp", range, before, network);
}

static int allows_ports(const struct pic_policy_ports *rules, uint32_t count,
			const struct pic_policy_ports *wanted, const char *verb, const char *before,
			struct pic_error *err)
{
	char rule[160], what[96];

	for (uint32_t i = 0; i < count; i++)
		if (pic_ports_contain(&rules[i], wanted))
			return 0;
	rule_text(wanted, verb, before, rule);
	pic_ports_text(wanted, what);
	return pic_error_set(err, -EPERM, "policy does not allow to %s %s %s: add `%s`", verb,
			     before, what, rule);
}

int pic_policy_allows_listen(const struct pic_policy *policy, const struct pic_policy_ports *wanted,
			     struct pic_error *err)
{
	return allows_ports(policy->listen, policy->listen_count, wanted, "listen", "on", err);
}

int pic_policy_allows_connect(const struct pic_policy *policy,
			      const struct pic_policy_ports *wanted, struct pic_error *err)
{
	return allows_ports(policy->connect, policy->connect_count, wanted, "connect", "to", err);
}

static bool is_below(const char *folder, const char *path)
{
	size_t size = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(folder, path, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

/* A path that climbs or wanders is compared with nothing. */
static bool is_straight(const char *path)
{
	return path[0] == '/' && !strstr(path, "/../") && !strstr(path, "/./") &&
	       !strstr(path, "//") && !pic_text_ends(path, "/..") && !pic_text_ends(path, "/.");
}

int pic_policy_allows_folder(const struct pic_policy *policy, const char *path, bool writable,
			     struct pic_error *err)
{
	if (!is_straight(path))
		return pic_error_set(err, -EPERM,
				     "folder %s is not an absolute path without . and ..", path);
	for (uint32_t i = 0; i < policy->folder_count; i++)
		if (is_below(policy->folders[i].path, path) &&
		    (policy->folders[i].writable || !writable))
			return 0;
	return pic_error_set(err, -EPERM, "policy does not allow folder %s%s: add `folder %s %s`",
			     path, writable ? " for writing" : "", path,
			     writable ? "writable" : "read-only");
}

int pic_policy_allows_memory(const struct pic_policy *policy, uint64_t bytes, struct pic_error *err)
{
	if (bytes <= policy->memory_max)
		return 0;
	return pic_error_set(err, -EPERM,
			     "policy allows %" PRIu64 " bytes of memory, not %" PRIu64
			     ": write `memory-max %" PRIu64 "`",
			     policy->memory_max, bytes, bytes);
}

int pic_policy_choose_user(const struct pic_policy *policy, const char *name,
			   bool (*is_taken)(const void *data, uint32_t user), const void *data,
			   uint32_t *out, struct pic_error *err)
{
	uint32_t count = policy->user_last - policy->user_first + 1, hash = 2166136261u;

	for (const char *at = name; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u; /* FNV-1a */
	for (uint32_t i = 0; i < count; i++) {
		uint32_t user = policy->user_first + (hash % count + i) % count;

		if (!is_taken(data, user)) {
			*out = user;
			return 0;
		}
	}
	return pic_error_set(err, -EAGAIN, "all %u users of policy.conf's `users` line are taken",
			     count);
}

static bool ports_are_valid(const struct pic_policy_ports *ports, uint32_t count)
{
	if (count > PIC_POLICY_RULES_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		unsigned most = ports[i].network.family == 4 ? 32 : 128;

		if ((ports[i].transport != PIC_TCP && ports[i].transport != PIC_UDP) ||
		    ports[i].first > ports[i].last || ports[i].first == 0 ||
		    (ports[i].network.family != 0 && ports[i].network.family != 4 &&
		     ports[i].network.family != 6) ||
		    ports[i].network.bits > most)
			return false;
	}
	return true;
}

static bool ebpf_is_valid(const struct pic_policy_ebpf *ebpf)
{
	if (ebpf->interface_count > PIC_POLICY_RULES_MAX || ebpf->grants_by_hand & ~PIC_GRANT_MASK)
		return false;
	for (uint32_t i = 0; i < ebpf->interface_count; i++)
		if (!memchr(ebpf->interfaces[i], '\0', sizeof(ebpf->interfaces[i])))
			return false;
	return true;
}

static bool approvals_are_valid(const struct pic_policy *policy)
{
	if (policy->approval_count > PIC_POLICY_TYPES_MAX || policy->lease_max_seconds == 0)
		return false;
	for (uint32_t i = 0; i < policy->approval_count; i++)
		if (!memchr(policy->approval_types[i], '\0', sizeof(policy->approval_types[i])))
			return false;
	return true;
}

bool pic_policy_is_valid(const struct pic_policy *policy)
{
	if (policy->type_count > PIC_POLICY_TYPES_MAX ||
	    policy->folder_count > PIC_POLICY_RULES_MAX || !approvals_are_valid(policy) ||
	    !ebpf_is_valid(&policy->ebpf) ||
	    !ports_are_valid(policy->listen, policy->listen_count) ||
	    !ports_are_valid(policy->connect, policy->connect_count) || policy->user_first < 1000 ||
	    policy->user_first > policy->user_last ||
	    policy->user_last - policy->user_first >= 65536 || policy->workloads_max == 0 ||
	    policy->workloads_max > 1000 || policy->processes_max == 0)
		return false;
	for (uint32_t i = 0; i < policy->type_count; i++)
		if (!memchr(policy->types[i], '\0', sizeof(policy->types[i])))
			return false;
	for (uint32_t i = 0; i < policy->folder_count; i++)
		if (!memchr(policy->folders[i].path, '\0', sizeof(policy->folders[i].path)))
			return false;
	return true;
}
