namespace Slipway.Runtime.Sandbox;

/// <summary>The variables of every command that Slipway starts for a model, training or serving: the same on every machine, none of the user's.</summary>
public static class EncapsulatedVariables
{
    /// <summary>A command without an environment uses what the host has.</summary>
    private const string HostPath = "/usr/local/bin:/usr/bin:/bin";

    /// <summary>A host environment is Debian packages, and none of those has a program under /usr/local.</summary>
    private const string PackagedPath = "/usr/bin:/bin";

    private static readonly string[] threadVariables = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT"];

    /// <param name="home">Private folder for HOME.</param>
    /// <param name="temporary">Private folder for TMPDIR.</param>
    /// <param name="threads">Threads that libraries may use; at least 1.</param>
    /// <param name="seed">Also of Python's string hashes.</param>
    /// <param name="isPackaged">Whether the command runs in a declared environment.</param>
    public static Dictionary<string, string> Of(string home, string temporary, int threads, long seed, bool isPackaged)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = isPackaged ? PackagedPath : HostPath,
            ["HOME"] = home,
            ["TMPDIR"] = temporary,
            ["LANG"] = "C.UTF-8",
            ["LC_ALL"] = "C.UTF-8",
            ["TZ"] = "UTC",
            ["PYTHONHASHSEED"] = seed.ToString(),
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["PYTHONNOUSERSITE"] = "1",
            ["PYTHONUNBUFFERED"] = "1",
            // A thread that spins while it waits takes the processor from the one that it waits for.
            ["OMP_WAIT_POLICY"] = "PASSIVE",
        };
        foreach (var name in threadVariables)
            variables[name] = threads.ToString();
        return variables;
    }
}
