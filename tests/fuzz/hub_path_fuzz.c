/*
 * The first thing of a request that the hub looks at: method and path against the real routes, Host,
 * Origin and Range. The input is lines: method, path, host, origin, range.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/artifacts/range.h"
#include "hub/host.h"
#include "hub/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pic_route *const tables[] = {
	pic_device_routes, pic_kube_routes,  pic_symphony_routes,
	pic_admin_routes,  pic_plain_routes, NULL,
};

/* What was captured ends no line, climbs nowhere, and lies in the match. */
static void check(const struct pic_route_match *match)
{
	if (match->count > PIC_ROUTE_CAPTURES_MAX)
		abort();
	for (size_t i = 0; i < match->count; i++) {
		const char *text = match->captured[i];

		if (text < match->text || text >= match->text + sizeof(match->text))
			abort();
		if (strcmp(text, "..") == 0 || strcmp(text, ".") == 0)
			abort();
		for (; *text; text++) {
			if ((unsigned char)*text < ' ')
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "hub.example", NULL };
	char *parts[5] = { "", "", "", "", "" };
	char *text = malloc(size + 1), *rest = text;
	struct pic_route_match match;
	uint64_t first = 0, count = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < 5 && rest; i++)
		parts[i] = strsep(&rest, "\n");
	for (int listener = PIC_LISTENER_TLS; listener <= PIC_LISTENER_PLAIN; listener++) {
		if (pic_route_find(tables, parts[0], parts[1], (enum pic_listener)listener,
				   &match) == 0)
			check(&match);
	}
	pic_host_is_allowed(parts[2], names);
	pic_origin_is_own(parts[3], parts[2], true);
	if (pic_range_parse(parts[4], 1000, &first, &count) == PIC_RANGE_PART &&
	    (count == 0 || first + count > 1000))
		abort();
	free(text);
	return 0;
}
