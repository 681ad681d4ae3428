/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/detector.h"

#define TV_DETECTOR(name) extern const struct tv_detector tv_detector_##name;
#include "detectors.def"
#undef TV_DETECTOR

const struct tv_detector *const tv_detectors[] = {
#define TV_DETECTOR(name) &tv_detector_##name,
#include "detectors.def"
#undef TV_DETECTOR
    NULL,
};

const struct tv_preset tv_presets[] = {
#define TV_PRESET(preset, detector, option, value) {#preset, #detector, #option, value},
#include "presets.def"
#undef TV_PRESET
    {NULL, NULL, NULL, 0},
};
