/* The file of `piccolo run FILE.json`, read as the agent reads it. */
#ifndef PIC_DEVICE_DESIRED_FILE_H
#define PIC_DEVICE_DESIRED_FILE_H

#include "protocol/document.h"

/* `path` is absolute. On failure the sentence names the file. */
int pic_device_desired_file(struct pic_document **out, const char *path, struct pic_error *err);

#endif
