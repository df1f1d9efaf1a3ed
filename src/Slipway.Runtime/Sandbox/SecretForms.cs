using System.Text;

namespace Slipway.Runtime.Sandbox;

/// <summary>In what forms a secret stands in a text.</summary>
public static class SecretForms
{
    /// <summary>Characters of base64 that are looked for; fewer would be found by chance.</summary>
    private const int FewestCharacters = 6;

    /// <summary>As it is, and in base64 at any place of a longer text, for URLs too; without line breaks.</summary>
    /// <remarks>In base64 three bytes are four characters: a value stands in a longer text in one of three ways, and the characters at its ends hang on its neighbours.</remarks>
    public static IEnumerable<byte[]> Of(byte[] value)
    {
        yield return value;
        for (var before = 0; before < 3; before++)
        {
            var text = Convert.ToBase64String([.. new byte[before], .. value]).TrimEnd('=');
            var from = before switch { 0 => 0, 1 => 2, _ => 3 };
            var end = (before + value.Length) % 3 == 0 ? text.Length : text.Length - 1;
            if (end - from < FewestCharacters)
                continue;
            var middle = text[from..end];
            yield return Encoding.ASCII.GetBytes(middle);
            // RFC 4648 §5, for URLs and file names.
            if (middle.AsSpan().ContainsAny('+', '/'))
                yield return Encoding.ASCII.GetBytes(middle.Replace('+', '-').Replace('/', '_'));
        }
    }
}
