"""Pictures of cells out of a trained generator: latents, folders, sheets, publishing."""
