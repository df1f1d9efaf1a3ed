using Slipway.Primitives.Faults;

namespace Slipway.Engines;

/// <summary>Finds the native engines that <c>npm ci</c> put beside the program.</summary>
internal static class EngineFile
{
    /// <summary>Looks in <c>node_modules</c> of the program's folder and of every folder above it.</summary>
    /// <param name="package">Path below node_modules, such as <c>onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1</c>.</param>
    /// <exception cref="SlipwayException">It is in none of them (exit 3).</exception>
    public static string Find(string package)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "node_modules", package);
            if (File.Exists(candidate))
                return candidate;
        }

        throw new SlipwayException(ExitCode.NotThere, new Fault("missing-engine", $"the native engine {Path.GetFileName(package)} is not installed", Help: "run ./quickstart once, or npm ci --ignore-scripts in Slipway's folder"));
    }
}
