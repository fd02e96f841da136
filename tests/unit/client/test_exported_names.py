import inspect

import weir
import weir.errors
import weir.testing


def test_the_public_names_are_these() -> None:
    assert weir.__all__ == [
        "AlertLevel",
        "Api",
        "Artifact",
        "Audio",
        "Figure",
        "Histogram",
        "Html",
        "Image",
        "Markdown",
        "PointCloud",
        "Run",
        "Settings",
        "Stats",
        "Table",
        "Text",
        "Video",
        "__version__",
        "alert",
        "define_metric",
        "errors",
        "finish",
        "flush",
        "init",
        "log",
        "log_artifact",
        "log_model",
        "plot",
        "save",
        "seed_everything",
        "use_artifact",
    ]
    assert weir.__all__ == sorted(weir.__all__)
    assert {"run", "config", "summary"} <= set(dir(weir))
    assert weir.testing.__all__ == ["Captured", "Point", "capture"]


def test_a_star_import_needs_no_run() -> None:
    namespace: dict[str, object] = {}
    exec("from weir import *", namespace)
    assert set(weir.__all__) <= set(namespace)


def test_everything_defined_here_is_public_or_has_an_underscore() -> None:
    defined = {
        name for name, value in vars(weir).items() if getattr(value, "__module__", "") == "weir"
    }
    assert {name for name in defined if not name.startswith("_")} <= set(weir.__all__)


def test_every_public_thing_is_explained() -> None:
    things = [weir.testing.capture, *(getattr(weir, name) for name in weir.__all__)]
    things += [value for _, value in inspect.getmembers(weir.errors, inspect.isclass)]
    for thing in things:
        assert inspect.getdoc(thing), thing
    for owner in (weir.Api, weir.Run, weir.Settings, weir.testing.Captured, weir.Image, weir.Table):
        for name, member in vars(owner).items():
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{owner.__name__}.{name}"


def test_every_error_is_in_the_tree_at_the_top_of_its_module() -> None:
    drawn = weir.errors.__doc__ or ""
    for name, value in inspect.getmembers(weir.errors, inspect.isclass):
        if value.__module__ == "weir.errors":
            assert issubclass(value, weir.errors.WeirError)
            assert name in drawn


def test_module_functions_take_what_the_methods_take() -> None:
    for name in ("log", "alert", "define_metric", "flush", "finish"):
        method = list(inspect.signature(getattr(weir.Run, name)).parameters.values())[1:]
        function = list(inspect.signature(getattr(weir, name)).parameters.values())
        assert [(p.name, p.default, p.kind) for p in method] == [
            (p.name, p.default, p.kind) for p in function
        ]
