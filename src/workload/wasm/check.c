/* Spec against policy. Pure: the supervisor calls this with bytes that the agent made. */
#include <errno.h>
#include <string.h>

#include "admission/policy.h"
#include "workload/wasm/runner.h"

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static bool ports_are_sane(const struct pic_policy_ports *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct pic_policy_ports *p = &ports[i];
		unsigned family = p->network.family, bits = p->network.bits;

		if ((p->transport != PIC_TCP && p->transport != PIC_UDP) || p->first > p->last)
			return false;
		if ((family != 0 && family != 4 && family != 6) || bits > (family == 6	 ? 128u
									   : family == 4 ? 32u
											 : 0u))
			return false;
	}
	return true;
}

bool pic_wasm_path_is_plain(const char *path)
{
	const char *at = path;

	if (path[0] != '/')
		return false;
	while ((at = strstr(at, "/.."))) {
		at += 3;
		if (*at == '/' || *at == '\0')
			return false;
	}
	return true;
}

static bool folders_are_sane(const struct pic_wasm_spec *spec)
{
	for (uint32_t i = 0; i < spec->folder_count; i++) {
		const struct pic_wasm_folder *folder = &spec->folders[i];
		unsigned char flags[2];

		memcpy(&flags[0], &folder->writable, 1);
		memcpy(&flags[1], &folder->trace, 1);
		if (flags[0] > 1 || flags[1] > 1)
			return false;
		if (!is_text(folder->guest, sizeof(folder->guest)) || folder->guest[0] == '\0' ||
		    !is_text(folder->host, sizeof(folder->host)))
			return false;
		if (folder->trace ? folder->writable : !pic_wasm_path_is_plain(folder->host))
			return false;
	}
	return true;
}

/* As many texts as are announced, and each with its end. */
static bool texts_are_sane(const struct pic_wasm_spec *spec)
{
	uint64_t wanted = (uint64_t)spec->argument_count + spec->environment_count;

	if (spec->text_size > sizeof(spec->text))
		return false;
	for (uint32_t i = 0; i < spec->text_size; i++)
		if (spec->text[i] == '\0') {
			if (wanted == 0)
				return false;
			wanted--;
		}
	return wanted == 0 && (spec->text_size == 0 || spec->text[spec->text_size - 1] == '\0');
}

int pic_wasm_spec_validate(const struct pic_wasm_spec *spec, struct pic_error *err)
{
	if (spec->version != 1)
		return pic_error_set(err, -EINVAL, "the wasm spec is of version %u, known is 1",
				     spec->version);
	if (spec->restart > 2 || spec->folder_count > PIC_WASM_FOLDERS_MAX ||
	    spec->listen_count > PIC_WASM_PORTS_MAX || spec->connect_count > PIC_WASM_PORTS_MAX ||
	    !ports_are_sane(spec->listen, spec->listen_count) ||
	    !ports_are_sane(spec->connect, spec->connect_count) || !folders_are_sane(spec) ||
	    !texts_are_sane(spec))
		return pic_error_set(err, -EINVAL, "the wasm spec is damaged");
	return 0;
}

static int check_ports(const struct pic_wasm_spec *spec, const struct pic_policy *policy,
		       struct pic_error *err)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < spec->listen_count; i++)
		r = pic_policy_allows_listen(policy, &spec->listen[i], err);
	if (r < 0)
		return pic_error_wrap(err, r, "wasm.listen");
	for (uint32_t i = 0; r == 0 && i < spec->connect_count; i++)
		r = pic_policy_allows_connect(policy, &spec->connect[i], err);
	return r < 0 ? pic_error_wrap(err, r, "wasm.connect") : 0;
}

static int check_folders(const struct pic_wasm_spec *spec, const struct pic_policy *policy,
			 struct pic_error *err)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < spec->folder_count; i++)
		if (!spec->folders[i].trace) /* the instance's own, nothing to grant */
			r = pic_policy_allows_folder(policy, spec->folders[i].host,
						     spec->folders[i].writable, err);
	return r < 0 ? pic_error_wrap(err, r, "wasm.dir") : 0;
}

int pic_wasm_check_spec(const void *spec, const struct pic_policy *policy, struct pic_error *err)
{
	const struct pic_wasm_spec *wasm = spec;
	int r = pic_wasm_spec_validate(wasm, err);

	if (r == 0)
		r = pic_policy_allows_type(policy, "wasm", err);
	if (r == 0)
		r = check_ports(wasm, policy, err);
	if (r == 0)
		r = check_folders(wasm, policy, err);
	if (r < 0)
		return r;
	r = pic_policy_allows_memory(policy, wasm->memory_max, err);
	return r < 0 ? pic_error_wrap(err, r, "wasm.memory") : 0;
}

static bool is_declared(const struct pic_policy_ports *ports, uint32_t count,
			const struct pic_policy_ports *wanted)
{
	for (uint32_t i = 0; i < count; i++)
		if (pic_ports_contain(&ports[i], wanted))
			return true;
	return false;
}

/* A module that declares no port may bind where policy lets any; one that declares none to connect to
 * may connect nowhere. */
int pic_wasm_grants(const void *spec, enum pic_broker_operation operation,
		    const struct pic_policy_ports *wanted, const struct pic_policy *policy,
		    struct pic_error *err)
{
	const struct pic_wasm_spec *wasm = spec;
	char text[96];

	pic_ports_text(wanted, text);
	if (operation == PIC_BROKER_CONNECT) {
		if (!is_declared(wasm->connect, wasm->connect_count, wanted))
			return pic_error_set(
				err, -EPERM,
				"wasm.connect does not name %s; add it there to let the "
				"module connect",
				text);
		return pic_policy_allows_connect(policy, wanted, err);
	}
	if (wasm->listen_count > 0 && !is_declared(wasm->listen, wasm->listen_count, wanted))
		return pic_error_set(
			err, -EPERM,
			"wasm.listen does not name %s; add it there to let the module listen",
			text);
	return pic_policy_allows_listen(policy, wanted, err);
}
