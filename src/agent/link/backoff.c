#include "agent/link/backoff.h"

#include "crypto/digest.h"

#define RETRY_AFTER_LONGEST_MS (60 * 60 * 1000)

int64_t pic_backoff_ms(unsigned failures, int64_t retry_after_ms)
{
	int64_t window = PIC_BACKOFF_FIRST_MS;

	for (; failures > 1 && window < PIC_BACKOFF_LONGEST_MS; failures--)
		window *= 2;
	if (window > PIC_BACKOFF_LONGEST_MS)
		window = PIC_BACKOFF_LONGEST_MS;
	if (retry_after_ms > RETRY_AFTER_LONGEST_MS)
		retry_after_ms = RETRY_AFTER_LONGEST_MS; /* a mistake must not silence a fleet */
	if (retry_after_ms < 0)
		retry_after_ms = 0;
	return retry_after_ms + (int64_t)pic_random_below((unsigned long long)window);
}
