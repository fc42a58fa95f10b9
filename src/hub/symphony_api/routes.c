#include "hub/symphony_api/room.h"

#define ROW(method, path, access, handler) \
	{ \
		method, "/v1alpha2/" path, PIC_ACCESS_##access, \
			PIC_LISTENER_TLS | PIC_LISTENER_PLAIN, handler \
	}
/* The same four for each kind of object. */
#define OBJECT_ROWS(path) \
	ROW("GET", path, ADMIN, pic_symphony_list), \
		ROW("GET", path "/{name}", ADMIN, pic_symphony_get), \
		ROW("POST", path "/{name}", ADMIN, pic_symphony_post), \
		ROW("DELETE", path "/{name}", ADMIN, pic_symphony_delete)

const struct pic_route pic_symphony_routes[] = {
	ROW("POST", "users/auth", OPEN, pic_symphony_login),
	ROW("GET", "greetings", OPEN, pic_symphony_greet),
	OBJECT_ROWS("targets/registry"),
	OBJECT_ROWS("solutions"),
	OBJECT_ROWS("solutionversions"),
	OBJECT_ROWS("instances"),
	OBJECT_ROWS("catalogs/registry"),
	OBJECT_ROWS("catalogversions/registry"),
	OBJECT_ROWS("campaigns"),
	OBJECT_ROWS("campaignversions"),
	OBJECT_ROWS("activations/registry"),
	ROW("POST", "activations/status/{name}", ADMIN, pic_symphony_activation_status),
	ROW("GET", "targets/ping/{name}", ADMIN, pic_symphony_ping),
	ROW("POST", "targets/ping/{name}", ADMIN, pic_symphony_ping),
	ROW("PUT", "targets/status/{name}", ADMIN, pic_symphony_target_status),
	ROW("PUT", "targets/status/{name}/{component}", ADMIN, pic_symphony_target_status),
	ROW("POST", "catalogs/status/{name}", ADMIN, pic_symphony_catalog_status),
	ROW("POST", "catalogversions/status/{name}", ADMIN, pic_symphony_catalog_status),
	ROW("GET", "solution/queue", ADMIN, pic_symphony_queue),
	ROW("POST", "solution/queue", ADMIN, pic_symphony_queue_job),
	ROW("GET", "solutionversion/queue", ADMIN, pic_symphony_queue),
	ROW("POST", "solutionversion/queue", ADMIN, pic_symphony_queue_job),
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
