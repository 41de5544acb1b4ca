import java.awt.BorderLayout;
import java.awt.Font;
import javax.swing.JButton;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.SwingConstants;
import javax.swing.SwingUtilities;

/** The peer of the measurements: a balance window of the same size, as a plain Java program would show it. */
public final class Balance {
    public static void main(String[] args) {
        SwingUtilities.invokeLater(() -> {
            JFrame frame = new JFrame("Swing balance");
            JLabel amount = new JLabel("€12.34", SwingConstants.CENTER);
            amount.setFont(amount.getFont().deriveFont(Font.BOLD, 32f));
            frame.add(new JLabel("Alex Test", SwingConstants.CENTER), BorderLayout.NORTH);
            frame.add(amount, BorderLayout.CENTER);
            frame.add(new JButton("Details"), BorderLayout.SOUTH);
            frame.setSize(300, 160);
            frame.setVisible(true);
        });
    }
}
