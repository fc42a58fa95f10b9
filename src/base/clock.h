/*
 * Clocks, and times as text. Timeouts and leases use the boot-time clock (it counts sleep, nobody can
 * set it); the wall clock is for display and certificates only. Pure code takes "now" as an argument.
 */
#ifndef PIC_BASE_CLOCK_H
#define PIC_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIC_TIME_TEXT 32

int64_t pic_clock_boot_ms(void); /* CLOCK_BOOTTIME in ms */
int64_t pic_clock_wall_ms(void); /* CLOCK_REALTIME, ms since 1970 */
/* False when the wall clock cannot be true (before the release year of this program). */
bool pic_clock_wall_is_set(int64_t wall_ms);

/* RFC 3339, UTC, whole seconds: "2026-11-24T14:00:00Z". */
void pic_time_format(int64_t wall_ms, char out[PIC_TIME_TEXT]);
int pic_time_parse(const char *text, int64_t *wall_ms); /* also with fraction and offset; -EINVAL */

/* "90s", "15m", "2h", "1h30m", "500ms", "2d" to ms; -EINVAL, -ERANGE. */
int pic_duration_parse(const char *text, int64_t *ms);
/* Age as kubectl prints it: <2m "Ns"; <10m "XmYs"; <3h "Nm"; <8h "XhYm"; <48h "Nh"; <8d "XdYh";
 * <2y "Nd"; <8y "XyYd"; else "Ny" (the second part left out when 0). */
void pic_duration_age(int64_t ms, char out[PIC_TIME_TEXT]);

#endif
