namespace Slipway.Documents.Specs;

/// <summary>Names of secrets: those of environment variables, but for the ones that a stage has for other reasons.</summary>
public static class SecretName
{
    internal const string Pattern = "^(?!SLIPWAY_)[A-Z][A-Z0-9_]{0,62}$";

    internal const string Allowed = "the name of an environment variable: a capital letter, then up to 62 capital letters, digits and _; not SLIPWAY_… and no variable that every stage has, such as PATH";

    private const string OwnPrefix = "SLIPWAY_";

    /// <summary>Set for every stage, or read by the dynamic linker and the shells before the command begins.</summary>
    private static readonly HashSet<string> taken =
    [
        "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONUNBUFFERED", "OMP_WAIT_POLICY",
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
        "SOURCE_DATE_EPOCH", "DOTNET_ROOT", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PYTHONPATH", "PYTHONHOME", "BASH_ENV", "ENV", "IFS", "PWD", "SHELL", "USER",
    ];

    public static bool IsOne(string name) =>
        name.Length is >= 1 and <= 63
        && char.IsAsciiLetterUpper(name[0])
        && name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_')
        && !name.StartsWith(OwnPrefix, StringComparison.Ordinal)
        && !taken.Contains(name);
}
