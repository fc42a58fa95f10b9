/*
 * The one-time token that a first boot has put into a root-owned file: root hands it to the agent, which joins by it
 * and removes it. For processes that are root before there is an agent.
 */
#ifndef PIC_DEVICE_TOKEN_FILE_H
#define PIC_DEVICE_TOKEN_FILE_H

#include "device/options.h"

/* Moves --token-file to STATE/agent/token. Nothing to do: no such option, no such file. What fails is told in the
 * log: the device works without. */
void pic_device_token_hand_over(const struct pic_device_options *options);

#endif
