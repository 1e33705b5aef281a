/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that cut, overflow or share hidden state: using one is a compile
 * error. Included by the Makefile before every file. */
#ifndef TALLY_CORE_BASE_BANNED_H
#define TALLY_CORE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fortified headers make macros of them under clang. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll localtime gmtime ctime asctime system popen

#endif
