"""Makes metrics.json: what scikit-image says of two maps made by formula. Needs numpy and scikit-image.

    python3 core/tests/goldens/metrics.py > core/tests/goldens/metrics.json
"""
import json
import numpy as np
from skimage.metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio, structural_similarity

SIZE = 64
row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
truth = (0.5 + 0.4 * np.sin(row / 7.0) * np.cos(column / 5.0)).astype(np.float32)
prediction = (truth + 0.1 * np.sin(row * column / 31.0)).astype(np.float32)
t, p = truth.astype(np.float64), prediction.astype(np.float64)
print(json.dumps({
    "size": SIZE,
    "nmse": normalized_root_mse(t, p, normalization="euclidean") ** 2,
    "rmse": mean_squared_error(t, p) ** 0.5,
    "psnr": peak_signal_noise_ratio(t, p, data_range=1.0),
    "ssim": structural_similarity(t, p, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0),
}, indent=2))
