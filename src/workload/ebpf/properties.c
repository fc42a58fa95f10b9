/* The properties of an ebpf component -> struct pic_ebpf_spec; and what the supervisor asks of one. */
#include <errno.h>
#include <string.h>

#include "workload/ebpf/runner.h"

void pic_ebpf_spec_init(struct pic_ebpf_spec *spec)
{
	/* Padding too: a spec is compared and digested as bytes. */
	memset(spec, 0, sizeof(*spec));
	spec->version = PIC_EBPF_SPEC_VERSION;
	spec->terms.confirm_seconds = PIC_EBPF_CONFIRM_DEFAULT_S;
	spec->terms.lease_seconds = PIC_EBPF_LEASE_DEFAULT_S;
}

int pic_ebpf_parse(const struct pic_json *properties, void *out, struct pic_error *err)
{
	struct pic_ebpf_spec spec;
	int r;

	pic_ebpf_spec_init(&spec);
	r = pic_ebpf_terms_parse(properties, &spec.terms, err);
	if (r == 0)
		memcpy(out, &spec, sizeof(spec));
	return r;
}

int pic_ebpf_check_spec(const void *spec, const struct pic_policy *policy, struct pic_error *err)
{
	const struct pic_ebpf_spec *ebpf = spec;
	const struct pic_ebpf_terms *terms = &ebpf->terms;
	int r = 0;

	if (ebpf->version != PIC_EBPF_SPEC_VERSION || ebpf->padding ||
	    !pic_ebpf_terms_are_valid(terms))
		return pic_error_set(err, -EINVAL, "these are not the terms of an ebpf component");
	for (uint32_t i = 0; r == 0 && i < terms->attach_count; i++)
		if (pic_ebpf_hook_is_network(terms->attach[i].hook) && terms->attach[i].target[0])
			r = pic_ebpf_admit_interface(policy, terms->attach[i].target, err);
	return r;
}
