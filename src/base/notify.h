/* sd_notify(3): readiness, status and watchdog for systemd, one datagram; nothing without NOTIFY_SOCKET. */
#ifndef PIC_BASE_NOTIFY_H
#define PIC_BASE_NOTIFY_H

#include <stdint.h>

#include "base/loop.h"

void pic_notify(const char *state); /* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..." */
/* Half of WATCHDOG_USEC in ms, or 0 when systemd asked for none. */
int64_t pic_notify_watchdog_ms(void);

/* Says WATCHDOG=1 for as long as the loop turns; nothing when systemd asked for none. The loop frees the timer. */
struct pic_watchdog {
	struct pic_timer *timer;
};
int pic_watchdog_start(struct pic_watchdog *watchdog, struct pic_loop *loop, struct pic_error *err);

#endif
