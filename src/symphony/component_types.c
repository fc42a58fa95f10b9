/*
 * wasm's properties are described in workload/wasm/spec.h; a test keeps the two together. The other
 * types are Symphony's: they can be stored and staged, the device says whether it can run them.
 */
#include "symphony/component_types.h"

#include <string.h>

#include "base/text.h"

static const struct pic_component_property wasm_properties[] = {
	{ "wasm.url", PIC_PROPERTY_URL,
	  "Where the module comes from: http, https, or /artifacts/NAME of what was pushed." },
	{ "wasm.sha256", PIC_PROPERTY_SHA256,
	  "Digest the module must have; alone it names a module that was pushed." },
	{ "wasm.dir", PIC_PROPERTY_WORDS,
	  "Folders of the device that the module sees: GUEST:HOST[:rw], several with blanks between." },
	{ "wasm.args", PIC_PROPERTY_WORDS,
	  "Arguments of the module, split at blanks; quotes keep blanks together." },
	{ "wasm.env", PIC_PROPERTY_WORDS,
	  "Environment of the module: NAME=VALUE, several with blanks between." },
	{ "wasm.listen", PIC_PROPERTY_PORTS,
	  "Where it may listen: [tcp:|udp:][ADDRESS:]PORT[-PORT], several with blanks between; without it "
	  "wherever the device's policy allows." },
	{ "wasm.connect", PIC_PROPERTY_PORTS,
	  "Where it may connect to: [tcp:|udp:]ADDRESS[/BITS]:PORT[-PORT], several with blanks between; "
	  "without it nowhere." },
	{ "wasm.memory", PIC_PROPERTY_SIZE, "Most linear memory it may have; 64M by default." },
	{ "wasm.restart", PIC_PROPERTY_RESTART,
	  "When it is started again after it ended: always (default), on-failure or never." },
	{ "wasm.runtime", PIC_PROPERTY_TEXT,
	  "Kept, not interpreted." }, /* the original's, there too */
	{ NULL, PIC_PROPERTY_TEXT, NULL },
};

const struct pic_component_type pic_component_types[] = {
	{ "wasm", "wasm.", wasm_properties },
	{ "ebpf", "ebpf.", NULL },
	{ "container", "container.", NULL },
	{ "docker", NULL, NULL }, /* the original's word; its properties are container.* */
	{ "process", "process.", NULL },
	{ NULL, NULL, NULL },
};

const char pic_component_type_names[] = "wasm, ebpf, container, docker, process";

const struct pic_component_type *pic_component_type(const char *name)
{
	for (const struct pic_component_type *type = pic_component_types; name && type->name;
	     type++)
		if (strcmp(type->name, name) == 0)
			return type;
	return NULL;
}

const struct pic_component_type *pic_component_type_of_property(const char *property)
{
	for (const struct pic_component_type *type = pic_component_types; type->name; type++)
		if (type->prefix && pic_text_starts(property, type->prefix))
			return type;
	return NULL;
}

bool pic_component_url_is_own(const char *url)
{
	static const char prefix[] = "/artifacts/";

	if (!pic_text_starts(url, prefix))
		return false;
	url += strlen(prefix);
	return *url && *url != '.' && strlen(url) <= 128 &&
	       strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") ==
		       strlen(url);
}

/* Lower case schemes only: the document's readers know no others. */
bool pic_component_url_is_valid(const char *url)
{
	const char *rest = NULL;

	if (pic_component_url_is_own(url))
		return true;
	if (pic_text_starts(url, "https://"))
		rest = url + strlen("https://");
	else if (pic_text_starts(url, "http://"))
		rest = url + strlen("http://");
	if (!rest || strlen(url) > 2048)
		return false;
	size_t host = strcspn(rest, "/?#");

	if (host == 0 || rest[0] == ':' || memchr(rest, '@', host))
		return false;
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '<' || *c == '>')
			return false;
	return true;
}
