/* What the running agent says of the device, as anybody on the machine may ask it. */
#ifndef PIC_DEVICE_AGENT_STATUS_H
#define PIC_DEVICE_AGENT_STATUS_H

#include "base/buffer.h"
#include "base/error.h"

#define PIC_AGENT_STATUS_MAX (2 * 1024 * 1024)

/* The JSON text. -ENOENT, -ECONNREFUSED: no agent runs; -ETIMEDOUT: it does not answer. */
int pic_device_agent_status(const char *run_folder, struct pic_buf *out, struct pic_error *err);

#endif
