from motma.twins.tokhaiyte import TWIN
