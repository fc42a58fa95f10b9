#include "hub/device_api/state.h"

#define ROW(method, path, access, handler) \
	{ \
		method, "/device/v1/" path, PIC_ACCESS_##access, PIC_LISTENER_TLS, handler \
	}

const struct pic_route pic_device_routes[] = {
	ROW("GET", "authority", OPEN, pic_device_authority),
	ROW("POST", "join", OPEN, pic_device_join),
	ROW("POST", "renew", DEVICE, pic_device_renew),
	ROW("GET", "document", DEVICE, pic_device_poll),
	ROW("POST", "report", DEVICE, pic_device_report),
	ROW("POST", "asks/{id}", DEVICE, pic_device_answer),
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
