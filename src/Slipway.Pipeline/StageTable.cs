using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline;

/// <summary>A stage's output as a table: under a name with its extension, which an object in the store does not have.</summary>
/// <remarks>Figures that are sealed are computed from bytes that were hashed, each time: a remembered one would be one more thing to believe.</remarks>
internal static class StageTable
{
    /// <param name="path">As the output is declared.</param>
    /// <param name="read">Takes the absolute path of a copy, which is gone afterwards.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">It was changed in the store (exit 2); no space, no permission (exit 3).</exception>
    public static T Read<T>(ProjectFolder project, string path, Digest output, Func<string, T> read)
    {
        var named = AtomicFile.TemporaryBeside(Path.Combine(project.Scratch, "table")) + Path.GetExtension(path);
        AtomicFile.CreateFolder(project.Scratch);
        try
        {
            using (var stored = new ContentStore(project.Objects).OpenRead(output, verify: true))
            using (var copy = new FileStream(named, FileMode.CreateNew, FileAccess.Write))
                stored.CopyTo(copy);
            return read(named);
        }
        catch (IOException e) when (AtomicFile.Explain(e, named) is { } explained)
        {
            throw explained;
        }
        finally
        {
            File.Delete(named);
        }
    }
}
