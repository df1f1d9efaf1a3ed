namespace Slipway.Runtime.Sandbox;

/// <summary>What a folder holds, while somebody is writing in it.</summary>
public static class FolderSize
{
    private static readonly EnumerationOptions everything = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    /// <returns>Bytes of all files; links are not followed.</returns>
    public static long Of(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).EnumerateFiles("*", everything).Sum(LengthOf);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;       // taken away meanwhile; the next look counts
        }
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
