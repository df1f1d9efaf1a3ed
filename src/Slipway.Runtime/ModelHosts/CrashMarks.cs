using Slipway.Primitives.Bytes;

namespace Slipway.Runtime.ModelHosts;

/// <summary>What an earlier process of this state folder left when it ended without taking its models out: whom its death may be laid to.</summary>
public static class CrashMarks
{
    /// <summary>Reads all marks that were left. To be called before any model is hosted, by the folder's only user.</summary>
    public static IReadOnlyList<CrashMark> ReadAll(string stateFolder)
    {
        var found = new List<CrashMark>();
        foreach (var (path, bundle) in Marks(RunMark.FolderIn(stateFolder)))
        {
            if (RunMark.Read(path) is { } mark && MarkText.ModelOf(mark.Text) is { } model)
                found.Add(new CrashMark(model, bundle, mark.Running > 0 ? CrashMoment.Running : CrashMoment.Beside));
        }

        foreach (var (path, bundle) in Marks(LoadMark.FolderIn(stateFolder)))
        {
            if (MarkText.ModelOf(File.ReadAllText(path)) is { } model)
                found.Add(new CrashMark(model, bundle, CrashMoment.Loading));
        }

        return found;
    }

    /// <summary>Takes them all away, once what they say is kept elsewhere.</summary>
    public static void Clear(string stateFolder)
    {
        foreach (var (path, _) in Marks(RunMark.FolderIn(stateFolder)).Concat(Marks(LoadMark.FolderIn(stateFolder))))
            File.Delete(path);
    }

    private static IEnumerable<(string Path, Digest Bundle)> Marks(string folder)
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (var path in Directory.GetFiles(folder).Where(path => Path.GetExtension(path) != LoadMark.LockSuffix))
        {
            if (Digest.TryParse("sha256:" + Path.GetFileNameWithoutExtension(path), out var bundle))
                yield return (path, bundle);
        }
    }
}

/// <param name="Model">The bundle's own name for it.</param>
public sealed record CrashMark(string Model, Digest Bundle, CrashMoment Moment);

/// <summary>What a model was doing in a process when that died.</summary>
public enum CrashMoment
{
    /// <summary>It was loaded, and no run was under way.</summary>
    Beside,

    /// <summary>It was being loaded.</summary>
    Loading,

    /// <summary>At least one run was under way.</summary>
    Running,
}
