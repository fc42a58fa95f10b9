/* Facts, terms and policy to a verdict; each refusal names the thing and the line that would allow it. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf.h"
#include "admission/ebpf_tables.h"

static int admit_programs(const struct pic_ebpf_facts *facts, const struct pic_ebpf_attach *hooks,
			  uint32_t count, const struct pic_policy *policy, struct pic_error *err)
{
	for (uint32_t i = 0; i < facts->program_count; i++) {
		const struct pic_ebpf_program *program = &facts->programs[i];
		bool wanted = false;

		for (uint32_t j = 0; j < count; j++)
			wanted = wanted || strcmp(hooks[j].program, program->name) == 0;
		if (wanted && !(policy->ebpf.program_types >> program->type & 1))
			return pic_error_set(err, -EPERM,
					     "program %s is of type %s, which policy does not "
					     "allow: add it to the line `ebpf programs`",
					     program->name,
					     pic_ebpf_program_type_text(program->type));
	}
	return 0;
}

int pic_ebpf_admit_interface(const struct pic_policy *policy, const char *interface,
			     struct pic_error *err)
{
	const struct pic_policy_ebpf *ebpf = &policy->ebpf;

	if (ebpf->interface_count == 0)
		return 0;
	for (uint32_t i = 0; i < ebpf->interface_count; i++) {
		const char *rule = ebpf->interfaces[i];
		size_t size = strnlen(rule, PIC_POLICY_INTERFACE_MAX);

		if (size > 0 && rule[size - 1] == '*' ? strncmp(rule, interface, size - 1) == 0
						      : strcmp(rule, interface) == 0)
			return 0;
	}
	return pic_error_set(err, -EPERM,
			     "policy lets no program sit on interface %s: add it to the line "
			     "`ebpf interfaces`",
			     interface);
}

static int admit_hooks(const struct pic_ebpf_attach *hooks, uint32_t count,
		       const struct pic_policy *policy, struct pic_error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		bool network = hooks[i].hook == PIC_EBPF_XDP || hooks[i].hook == PIC_EBPF_TCX ||
			       hooks[i].hook == PIC_EBPF_CLSACT;
		int r = 0;

		if (network && hooks[i].target[0])
			r = pic_ebpf_admit_interface(policy, hooks[i].target, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool uses(const struct pic_ebpf_facts *facts, uint32_t id)
{
	return facts->helpers[id / 32] & 1u << (id % 32);
}

static void helper_words(uint32_t id, char out[64])
{
	const char *text = pic_ebpf_helper_text(id);

	if (text)
		snprintf(out, 64, "bpf_%s", text);
	else
		snprintf(out, 64, "number %" PRIu32, id);
}

static int admit_helpers(const struct pic_ebpf_facts *facts, const struct pic_policy *policy,
			 struct pic_error *err)
{
	char words[64];

	if (facts->kfunc_count > 0)
		return pic_error_set(err, -EPERM,
				     "the object calls the kernel's own function %s; such calls "
				     "are never allowed",
				     facts->kfunc);
	for (uint32_t id = 0; id < PIC_EBPF_HELPERS_MAX; id++) {
		if (!uses(facts, id))
			continue;
		helper_words(id, words);
		if (!pic_ebpf_helper_text(id))
			return pic_error_set(err, -EPERM,
					     "the object calls helper %s, which is not known",
					     words);
		if (policy->ebpf.helpers_denied[id / 32] & 1u << (id % 32))
			return pic_error_set(err, -EPERM,
					     "the object calls helper %s, which policy denies: the "
					     "line `ebpf allow-helpers %s` would allow it",
					     words, pic_ebpf_helper_text(id));
		if (pic_ebpf_helper_is_gpl_only(id) && !pic_ebpf_license_is_gpl(facts->license))
			return pic_error_set(err, -EPERM,
					     "the object calls helper %s, which the kernel has for "
					     "programs under the GPL only; its license is \"%s\": "
					     "say char LICENSE[] SEC(\"license\") = \"GPL\" where "
					     "that is true",
					     words, facts->license);
	}
	return 0;
}

/* What makes the object need a grant, in words. */
static void reason_of(const struct pic_ebpf_facts *facts, uint32_t grant, char out[128])
{
	char words[64];

	for (uint32_t id = 0; id < PIC_EBPF_HELPERS_MAX; id++)
		if (uses(facts, id) && pic_ebpf_helper_grants(id) & grant) {
			helper_words(id, words);
			snprintf(out, 128, "it calls %s", words);
			return;
		}
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (pic_ebpf_program_type_grants(facts->programs[i].type) & grant) {
			snprintf(out, 128, "program %s is of type %s", facts->programs[i].name,
				 pic_ebpf_program_type_text(facts->programs[i].type));
			return;
		}
	snprintf(out, 128, "it uses variables of the kernel");
}

static int admit_grants(const struct pic_ebpf_facts *facts, uint32_t grants, struct pic_error *err)
{
	for (uint32_t bit = 1; bit & PIC_GRANT_MASK; bit <<= 1) {
		char reason[128];

		if (!(facts->grants & bit) || grants & bit)
			continue;
		reason_of(facts, bit, reason);
		return pic_error_set(err, -EPERM,
				     "the object needs the grant %s, because %s; it was not given",
				     pic_grant_text(bit), reason);
	}
	return 0;
}

/* How a map is kept, and who may touch its content: each of these takes no more memory than was counted and reaches
 * nothing beyond the map. The others make hashes predictable, name descriptors or belong to types that nobody may use. */
#define MAP_FLAGS \
	(BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | \
	 BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG | BPF_F_CLONE | BPF_F_MMAPABLE | \
	 BPF_F_PRESERVE_ELEMS | BPF_F_INNER_MAP)

static int admit_shape(const char *name, bool inside, uint32_t type, uint32_t flags,
		       const struct pic_policy *policy, struct pic_error *err)
{
	if (type >= 64 || !(policy->ebpf.map_types >> type & 1))
		return pic_error_set(err, -EPERM,
				     "map %s %s type %s, which policy does not allow: add it to "
				     "the line `ebpf maps`",
				     name, inside ? "holds maps of" : "is of",
				     pic_ebpf_map_type_text(type));
	if (flags & ~(uint32_t)MAP_FLAGS)
		return pic_error_set(err, -EPERM,
				     "map %s %s map_flags 0x%" PRIx32 ", of which 0x%" PRIx32
				     " is never allowed: leave it out",
				     name, inside ? "holds maps with" : "has", flags,
				     flags & ~(uint32_t)MAP_FLAGS);
	return 0;
}

static int admit_maps(const struct pic_ebpf_facts *facts, const struct pic_policy *policy,
		      struct pic_error *err)
{
	for (uint32_t i = 0; i < facts->map_count; i++) {
		const struct pic_ebpf_map *map = &facts->maps[i];
		int r;

		if (map->pinned)
			return pic_error_set(err, -EPERM,
					     "map %s asks to be pinned; nothing outlives its "
					     "lease: leave out its pinning",
					     map->name);
		r = admit_shape(map->name, false, map->type, map->flags, policy, err);
		if (r == 0 && map->inner.type)
			r = admit_shape(map->name, true, map->inner.type, map->inner.flags, policy,
					err);
		if (r < 0)
			return r;
	}
	if (facts->kernel_bytes > policy->ebpf.kernel_bytes_max)
		return pic_error_set(
			err, -EPERM,
			"the object's maps take up to %" PRIu64
			" bytes of kernel memory, policy allows %" PRIu64
			": make max_entries smaller, or write `ebpf kernel-max %" PRIu64 "`",
			facts->kernel_bytes, policy->ebpf.kernel_bytes_max, facts->kernel_bytes);
	return 0;
}

int pic_ebpf_admit(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
		   const struct pic_policy *policy, uint32_t grants, struct pic_error *err)
{
	struct pic_ebpf_attach hooks[PIC_EBPF_PROGRAMS_MAX];
	uint32_t count;
	int r = pic_ebpf_terms_resolve(facts, terms, hooks, &count, err);

	if (r == 0)
		r = admit_programs(facts, hooks, count, policy, err);
	if (r == 0)
		r = admit_hooks(hooks, count, policy, err);
	if (r == 0)
		r = admit_helpers(facts, policy, err);
	if (r == 0)
		r = admit_maps(facts, policy, err);
	if (r == 0)
		r = admit_grants(facts, grants, err);
	return r;
}
