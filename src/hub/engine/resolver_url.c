/*
 * What the resolver has to know of URLs. Pure.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "hub/engine/resolver.h"

bool pic_resolver_own_url(const char *url, const char *public_url, const char **name)
{
	static const char path[] = "/artifacts/";
	/* without a host it is the hub's own too */
	size_t length = public_url && *url != '/' ? strlen(public_url) : 0;

	if ((length == 0 && *url != '/') ||
	    strncmp(url, public_url ? public_url : "", length) != 0 ||
	    strncmp(url + length, path, sizeof(path) - 1) != 0)
		return false;
	const char *rest = url + length + sizeof(path) - 1;

	if (!*rest || strpbrk(rest, "/?#"))
		return false;
	*name = rest;
	return true;
}

/* Where the authority begins, or NULL. */
static const char *authority(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return NULL;
}

/* The host without brackets, port and zone. */
static bool host_of(const char *url, char out[256])
{
	const char *from = authority(url);

	if (!from)
		return false;
	size_t size = strcspn(from, "/?#");
	const char *at = memrchr(from, '@', size);

	if (at) {
		size -= (size_t)(at + 1 - from);
		from = at + 1;
	}
	if (*from == '[') {
		from++;
		size = strcspn(from, "]%/");
	} else {
		const char *colon = memchr(from, ':', size);

		size = colon ? (size_t)(colon - from) : size;
	}
	if (size == 0 || size >= 256)
		return false;
	memcpy(out, from, size);
	out[size] = '\0';
	return true;
}

bool pic_resolver_denies(const char *url)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	unsigned char address[16];
	struct in_addr old_form;
	char host[256];

	if (!host_of(url, host))
		return true;
	if (inet_pton(AF_INET6, host, address) == 1) {
		if (memcmp(address, mapped, sizeof(mapped)) == 0)
			return address[12] == 169 && address[13] == 254;
		return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
	}
	/* also 0xa9fe0001 and 2852061441, which some resolvers take for addresses */
	if (inet_aton(host, &old_form))
		return (ntohl(old_form.s_addr) >> 16) == 0xa9fe;
	return false;
}

int pic_resolver_redirect(const char *url, const char *location, char **out)
{
	const char *from = authority(url);
	char *made = NULL;

	if (!from || !location || !*location || strlen(location) > 2048)
		return -EINVAL;
	size_t root = (size_t)(from - url) + strcspn(from, "/?#");

	if (authority(location)) {
		made = strdup(location);
	} else if (location[0] == '/' && location[1] == '/') {
		if (asprintf(&made, "%.*s%s", (int)(strchr(url, ':') + 1 - url), url, location) < 0)
			made = NULL;
	} else if (location[0] == '/') {
		if (asprintf(&made, "%.*s%s", (int)root, url, location) < 0)
			made = NULL;
	} else {
		return -EINVAL; /* relative to the path: rare, and easily read wrongly */
	}
	if (!made)
		return -ENOMEM;
	*out = made;
	return 0;
}
