"""Classical classifiers: measured features and scikit-learn, beside the networks."""
