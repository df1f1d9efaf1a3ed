using System.Collections.Immutable;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>The private folder of one execution: what looks like the project's root, with nothing in it but what was declared.</summary>
/// <remarks>
/// Inputs are copies, so that nothing a stage does to them reaches the user's files or the store. Only files above
/// <see cref="DefaultLinkAbove"/> are links, on a file system that cannot share blocks; those are checked again after the command.
/// </remarks>
internal sealed class StageFolder : IDisposable
{
    private const string InputsName = "inputs";

    /// <summary>Bytes above which a file is linked rather than copied; below it a copy takes a fraction of a second.</summary>
    public const long DefaultLinkAbove = 256L << 20;

    // Fixed, since archives and reports that a stage makes may carry its inputs' times.
    private static readonly DateTime inputsTime = DateTime.UnixEpoch.AddSeconds(315_532_800);

    private readonly string folder;
    private readonly long linkAbove;
    private readonly Dictionary<string, PlacedFile> placed = new(StringComparer.Ordinal);

    private StageFolder(string folder, long linkAbove) => (this.folder, this.linkAbove) = (folder, linkAbove);

    /// <summary>The working directory.</summary>
    public string Root => Path.Combine(folder, "project");

    public string Inputs => Path.Combine(folder, InputsName);

    public string Home => Path.Combine(folder, "home");

    public string Temporary => Path.Combine(folder, "tmp");

    public string StageFile => Path.Combine(folder, "stage.json");

    public string RequestFile => Path.Combine(folder, "request.json");

    /// <summary>Paths of the inputs, relative to the working directory.</summary>
    public IReadOnlyCollection<string> Placed => placed.Keys;

    /// <param name="folder">Absolute; made new.</param>
    /// <exception cref="SlipwayException">No space, no permission (exit 3); an input that changes meanwhile (exit 2).</exception>
    public static StageFolder Make(string folder, StageSpec stage, StageInputs inputs, IEnumerable<PlacedFile> files, StageDocument document, ProjectFiles project, long linkAbove)
    {
        var made = new StageFolder(folder, linkAbove);
        try
        {
            foreach (var each in new[] { made.Root, made.Inputs, made.Home, made.Temporary })
                AtomicFile.CreateFolder(each);
            foreach (var file in files)
                made.Place(file);
            foreach (var path in stage.Outputs.Values)
                AtomicFile.CreateFolder(path.EndsWith('/') ? Path.Combine(made.Root, path) : Path.GetDirectoryName(Path.Combine(made.Root, path))!);
            foreach (var input in inputs.ByName.Values.Where(input => input.From == InputKind.Dataset))
            {
                var link = Path.Combine(made.Inputs, input.Name);
                if (!Path.Exists(link))
                    File.CreateSymbolicLink(link, Path.Combine("..", Path.GetFileName(made.Root), input.Path));
            }

            made.CheckSources(project, linkedOnly: false);
            AtomicFile.Write(made.StageFile, CanonicalJson.Serialize(document, StepJson.Default.StageDocument));
            return made;
        }
        catch (Exception e)
        {
            made.Dispose();
            if (AtomicFile.Explain(e, folder) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>Refuses to go on when a file that the stage read through a link is no longer what its key says.</summary>
    public void CheckLinked(ProjectFiles project, ContentStore objects)
    {
        CheckSources(project, linkedOnly: true);
        var damaged = placed.Values.FirstOrDefault(file => file.FromStore && !objects.IsSound(file.Digest, file.Size));
        if (damaged.Path is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("damaged-object", $"the stored content of {damaged.Path} was changed while the stage ran", Help: "run again: the stage that made it will be repeated"));
    }

    /// <summary>Deletes the folder; what a stage left unreadable or is still writing stays for the next run to delete.</summary>
    public void Dispose() => Delete(folder);

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone already.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            DeleteStubborn(folder);
        }
    }

    // Folders without permissions, and names that are not UTF-8, which the framework cannot utter.
    private static void DeleteStubborn(string folder)
    {
        using var remove = System.Diagnostics.Process.Start("/bin/sh", ["-c", "{ chmod -R u+rwX -- \"$1\"; rm -rf -- \"$1\"; } 2>/dev/null", "sh", folder]);
        remove.WaitForExit();
    }

    private void Place(PlacedFile file)
    {
        if (!placed.TryAdd(file.Path, file))
            return;
        var target = Path.Combine(Root, file.Path);
        AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
        if (file.Size > linkAbove)
        {
            File.CreateSymbolicLink(target, file.Source);
            return;
        }

        AtomicFile.Copy(file.Source, target);
        File.SetUnixFileMode(target, file.Executable ? FilePermissions.Program : FilePermissions.Plain);
        File.SetLastWriteTimeUtc(target, inputsTime);
    }

    private void CheckSources(ProjectFiles project, bool linkedOnly)
    {
        foreach (var file in placed.Values.Where(file => !file.FromStore && (!linkedOnly || file.Size > linkAbove)))
        {
            if (project.DigestOf(file.Source) != file.Digest)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("input-changed", $"{file.Path} changed while the run was reading it", Help: "run again; finished stages are kept"));
        }
    }
}
