#include "hub/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *skip_scheme(const char *text)
{
	const char *end = text + strspn(text, LETTERS DIGITS "+-.");

	return strncmp(end, "://", 3) == 0 ? end + 3 : text;
}

bool pic_host_of(const char *text, char *out, size_t size)
{
	const char *start = skip_scheme(text);
	size_t length;

	if (*start == '[') {
		length = strcspn(++start, "]");
		if (start[length] != ']')
			return false;
	} else {
		length = strcspn(start, ":/?#");
	}
	if (length == 0 || length >= size)
		return false;
	memcpy(out, start, length);
	out[length] = '\0';
	return true;
}

/* A Host header is a name with or without a port, and nothing else. */
static bool is_name_and_port(const char *text, const char *name)
{
	size_t size = strlen(name);
	const char *port;

	text += *text == '[';
	if (strncmp(text, name, size) != 0)
		return false; /* something stood before it */
	port = text + size + (text[size] == ']');
	return !*port || (*port == ':' && port[1] && !port[1 + strspn(port + 1, DIGITS)]);
}

static bool is_literal(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

bool pic_host_is_allowed(const char *host, const char *const *names)
{
	char name[HOST_MAX];

	if (!host || !pic_host_of(host, name, sizeof(name)) || !is_name_and_port(host, name))
		return false;
	if (is_literal(name) || strcasecmp(name, "localhost") == 0)
		return true;
	for (; *names; names++) {
		if (strcasecmp(name, *names) == 0)
			return true;
	}
	return false;
}

bool pic_origin_is_own(const char *origin, const char *host, bool is_tls)
{
	char own[HOST_MAX + 16];

	if (!origin)
		return true;
	if (!host || snprintf(own, sizeof(own), "%s://%s", is_tls ? "https" : "http", host) >=
			     (int)sizeof(own))
		return false;
	return strcasecmp(origin, own) == 0;
}
