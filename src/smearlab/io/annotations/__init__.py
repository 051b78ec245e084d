"""Cells as other programs hold them: GeoJSON (QuPath), COCO, VOC and YOLO, in and out.

One module a format: :mod:`~smearlab.io.annotations.geojson`, :mod:`~smearlab.io.annotations.coco`,
:mod:`~smearlab.io.annotations.voc`, :mod:`~smearlab.io.annotations.yolo`. What is exported and
read again is the same, as far as the format can hold it:

=========  ======================  ===========================  ======================  ==========
format     box                     contour                      score, properties       image size
=========  ======================  ===========================  ======================  ==========
GeoJSON    yes                     yes                          yes                     yes
COCO       yes                     yes                          yes                     yes
VOC        yes                     no                           no                      yes
YOLO       yes; of polygons, that  as polygons, to 0.0001 px;   score if asked for;     no
           which encloses them     no box beside it             no properties
=========  ======================  ===========================  ======================  ==========
"""

from smearlab.io.annotations.annotation_set import Annotation, AnnotationSet, from_cells
from smearlab.io.annotations.box_folder import Boxes, BoxFolder, read_boxes

__all__ = ["Annotation", "AnnotationSet", "BoxFolder", "Boxes", "from_cells", "read_boxes"]
