// See transport/device.h: nothing of this header is named.
#pragma once
