"""How far it is: a bar by tqdm, or a function of the caller's that is called with each response."""


class _Bar:
    """What tqdm shows; how many failed stands behind it."""

    def __init__(self, requests):
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ModuleNotFoundError("progress=True needs the package tqdm: pip install tqdm; or give a function, which is called with each response",
                                      name="tqdm") from None
        self._bar = tqdm(total=len(requests) if hasattr(requests, "__len__") else None, unit="req")
        self._n_failed = 0

    def __call__(self, response):
        if not response.is_ok:
            self._n_failed += 1
            self._bar.set_postfix(failed=self._n_failed, refresh=False)
        self._bar.update()

    def close(self):
        self._bar.close()


class _Function:
    def __init__(self, function):
        self._function = function

    def __call__(self, response):
        self._function(response)

    def close(self):
        pass


def check(progress):
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise TypeError(f"progress: True, or a function that is called with each response, not {progress!r}")


def _begin(progress, requests):
    return _Bar(requests) if progress is True else _Function(progress)


def shown(responses, progress, requests):
    """The same responses. Nothing is asked for before the bar is there."""
    report = _begin(progress, requests)
    try:
        for response in responses:
            report(response)
            yield response
    finally:
        responses.close()
        report.close()


async def ashown(responses, progress, requests):
    report = _begin(progress, requests)
    try:
        async for response in responses:
            report(response)
            yield response
    finally:
        await responses.aclose()
        report.close()
