"""What the drawn faces promise: the same for the same seed, all classes, right and left, landmarks in place."""

import numpy as np
import pytest

from workers.datasets.drawn_faces.drawing import DrawnFace, draw_face
from workers.datasets.face_classes import FaceClass

COUNT, SIZE = 300, 64


@pytest.fixture(scope="module")
def faces() -> list[DrawnFace]:
    return [draw_face(5, index, SIZE) for index in range(COUNT)]


def ids(face: DrawnFace) -> np.ndarray:
    return np.asarray(face.labels)


def middle_x(face: DrawnFace, label: FaceClass) -> float | None:
    columns = np.nonzero(ids(face) == label)[1]
    return float(columns.mean()) if len(columns) else None


def test_all_nineteen_classes_occur_and_none_is_rare(faces: list[DrawnFace]) -> None:
    holding = {label: sum(bool((ids(face) == label).any()) for face in faces) for label in FaceClass}
    assert min(holding.values()) >= 0.08 * COUNT, holding


def test_no_other_id_occurs(faces: list[DrawnFace]) -> None:
    assert set(np.unique(np.stack([ids(face) for face in faces]))) == {int(label) for label in FaceClass}


@pytest.mark.parametrize(
    ("right", "left"),
    [
        (FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE),
        (FaceClass.RIGHT_BROW, FaceClass.LEFT_BROW),
        (FaceClass.RIGHT_EAR, FaceClass.LEFT_EAR),
    ],
)
def test_the_persons_right_is_at_the_images_left(faces: list[DrawnFace], right: FaceClass, left: FaceClass) -> None:
    places = [(middle_x(face, right), middle_x(face, left)) for face in faces]
    both = [(r, l_) for r, l_ in places if r is not None and l_ is not None]
    assert len(both) > 0.15 * COUNT
    assert all(r < l_ for r, l_ in both)


def test_landmarks_lie_in_the_picture_right_pupil_first(faces: list[DrawnFace]) -> None:
    landmarks = np.stack([face.landmarks for face in faces])
    assert landmarks.shape == (COUNT, 70, 2)
    assert landmarks.min() >= 0 and landmarks.max() <= SIZE - 1
    assert (landmarks[:, 68, 0] < landmarks[:, 69, 0]).all()
    assert (landmarks[:, 36, 0] < landmarks[:, 45, 0]).all()


def test_pupils_lie_on_the_eyes_where_these_are_seen(faces: list[DrawnFace]) -> None:
    hits = total = 0
    for face in faces:
        for landmark, label in ((68, FaceClass.RIGHT_EYE), (69, FaceClass.LEFT_EYE)):
            if (ids(face) == label).sum() < 12:
                continue
            x, y = face.landmarks[landmark].astype(int)
            total += 1
            hits += bool((ids(face)[y - 1 : y + 2, x - 1 : x + 2] == label).any())
    assert total > COUNT
    assert hits > 0.97 * total


def test_faces_vary_in_place_and_light(faces: list[DrawnFace]) -> None:
    noses = [place for face in faces if (place := middle_x(face, FaceClass.NOSE)) is not None]
    brightness = [np.asarray(face.picture).mean() for face in faces]
    assert np.std(noses) > 0.05 * SIZE
    assert np.std(brightness) > 12


def test_a_face_depends_on_seed_and_index_alone() -> None:
    first, again, other = draw_face(1, 17, SIZE), draw_face(1, 17, SIZE), draw_face(2, 17, SIZE)
    assert first.picture.tobytes() == again.picture.tobytes()
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.picture.tobytes() != other.picture.tobytes()


def test_a_face_is_the_same_person_at_every_size() -> None:
    small, large = draw_face(1, 3, 64), draw_face(1, 3, 256)
    shrunk = np.asarray(large.labels)[2::4, 2::4]
    assert (shrunk == ids(small)).mean() > 0.97
    assert np.allclose(large.landmarks / 4, small.landmarks, atol=1)
