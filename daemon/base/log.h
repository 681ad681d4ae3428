/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H
/* Messages to the person who runs trainvet, on stderr. Findings are not log messages.
 * error: something was not read or done, act on it. warning: something was ignored. info: life
 * cycle. debug: ours. */

enum tv_log_level { TV_LOG_ERROR, TV_LOG_WARNING, TV_LOG_INFO, TV_LOG_DEBUG };

/* Messages above this level are dropped; TV_LOG_WARNING at first. */
void tv_log_set_level(enum tv_log_level level);
/* One line "trainvet: MESSAGE", written in one piece: threads do not mix. Control characters are
 * replaced. */
void tv_log(enum tv_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
